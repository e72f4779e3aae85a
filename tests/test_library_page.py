"""Every snippet of the page on the library runs, by itself, as a reader would run it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent / "docs" / "library.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^## (.+?)$|```python\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)


def snippets() -> list[tuple[str, str]]:
    """Return each snippet with the heading it stands under."""
    heading, found = "", list[tuple[str, str]]()
    for title, code in SNIPPETS:
        heading = title or heading
        if code:
            found.append((heading, code))
    return found


@pytest.mark.parametrize(("heading", "code"), snippets(), ids=[heading for heading, _ in snippets()])
def test_a_snippet_runs(heading: str, code: str, tmp_path: Path) -> None:
    env = os.environ | {"MCP_MEMORY_DATA_DIR": str(tmp_path / "data"), "OPENAI_AGENTS_DISABLE_TRACING": "1"}  # a trace is sent abroad
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_the_page_has_snippets_with_and_without_an_event_loop() -> None:
    assert {"With an event loop", "Without one"} <= {heading for heading, _ in snippets()}
