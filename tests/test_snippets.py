"""What the pages show works as it stands there: command lines are understood, files that they show are read."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_memory import open_memory_sync
from mcp_memory.cli.main import COMMANDS
from mcp_memory.cli.manual import whole_parser
from mcp_memory.config import Config, StorageConfig
from mcp_memory.config_sources import load_config

ROOT = Path(__file__).parent.parent
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
CALLS = re.compile(r"`((?:mcp-memory|uvx mcp-episodic-memory) [^`\n]+)`|^ *((?:mcp-memory|uvx mcp-episodic-memory) .+)$", re.MULTILINE)
PLACEHOLDERS = {"HOST": "claude-code", "NAME": "claude-code"}  # where only one of several words is taken; the rest stands for itself


def written_calls() -> list[str]:
    """Return each command line of the pages that says more than which command there is."""
    pages = (path.read_text(encoding="utf-8") for path in WRITTEN)
    lines = {line.split("  #")[0].strip() for page in pages for pair in CALLS.findall(page) for line in pair if line}
    return sorted(line for line in lines if len(words_of(line)) > 1)


def words_of(line: str) -> list[str]:
    words = shlex.split(line)
    return [PLACEHOLDERS.get(word, word) for word in words[2 if words[0] == "uvx" else 1 :]]


def fenced(page: str, language: str) -> str:
    """Return what the blocks of a language on a page of the docs hold."""
    return "".join(re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.DOTALL))


def objects(text: str) -> Iterator[str]:
    """Yield the objects that stand one after the other in a text, each as one line."""
    decoder, at = json.JSONDecoder(), 0
    while (start := text.find("{", at)) >= 0:
        value, at = decoder.raw_decode(text, start)
        yield json.dumps(value, ensure_ascii=False)


@pytest.mark.parametrize("line", written_calls())
def test_a_command_line_is_understood(line: str) -> None:
    words = words_of(line)
    assert words[0] in COMMANDS
    whole_parser().parse_args(words)


def test_the_lines_of_the_interchange_file_are_imported(tmp_path: Path) -> None:
    episode, *records = objects(fenced("interchange.md", "json"))
    assert {json.loads(line)["record"] for line in records} == {"link", "checkpoint", "correction", "feedback"}
    earlier = json.dumps({"external_id": "ticket-0", "task": "the attempt before", "project": "…", "outcome": {"kind": "failure"}})
    with open_memory_sync(Config(storage=StorageConfig(data_dir=str(tmp_path)))) as memory:
        report = memory.import_lines([earlier, episode, *records])
    assert (report.added, report.errors, report.ignored) == (2, (), {})
    assert report.records + report.records_skipped == len(records)


def test_the_settings_of_a_shared_log_are_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(fenced("sharing.md", "toml"), encoding="utf-8")
    (remote,) = load_config(env={"MEMORY_TOKEN": "a"}, file=file).remotes
    assert (remote.token_env, remote.projects, remote.ack) == ("MEMORY_TOKEN", ("github.com/acme/api",), "local")
