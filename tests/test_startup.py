"""Cheap paths stay cheap: a fresh interpreter tells what it imported. A fact, not a time, so it cannot flake."""

import subprocess
import sys

import pytest

from mcp_memory.cli.main import COMMANDS

HEAVY = (
    "mcp",
    "mcp_types",
    "numpy",
    "onnxruntime",
    "tokenizers",
    "pydantic",
    "lmdb",
    "rich",
    "anyio",
    "sqlite3",
    "sklearn",
    "ruptures",
    "tomlkit",
    "ruamel",
    "shtab",
    "prometheus_client",
    "jinja2",
    "starlette",
    "uvicorn",
    "httpx2",
)
TELL = f"print('loaded:', [name for name in {HEAVY!r} if name in sys.modules])"


def loaded_after(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\n{TELL}"], capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.splitlines()[-1]


def help_of(*argv: str) -> str:
    return f"from mcp_memory.cli.main import main\ntry:\n    main({list(argv)!r})\nexcept SystemExit as stop:\n    assert stop.code == 0"


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert loaded_after("import mcp_memory") == "loaded: []"


def test_help_loads_no_heavy_library() -> None:
    assert loaded_after(help_of("--help")) == "loaded: []"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_no_heavy_library(command: str) -> None:
    assert loaded_after(help_of(command, "--help")) == "loaded: []"


def test_reading_the_settings_loads_no_heavy_library() -> None:
    assert loaded_after("from mcp_memory.config_sources import load_config\nload_config(env={})") == "loaded: []"


def test_a_hook_loads_nothing_that_it_does_not_need() -> None:
    """It starts with every step an agent makes: `typing` alone takes a tenth of its time."""
    kept = "import mcp_memory.hooks.client, mcp_memory.hooks.spooling"
    dear = {"typing", "dataclasses", "contextlib", "inspect", "string", "uuid", "logging", "pathlib"}
    code = f"import sys\nbefore = set(sys.modules)\n{kept}\nprint(sorted({dear!r} & (set(sys.modules) - before)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout.strip() == "[]"


def test_an_ordinary_event_is_looked_through_without_the_patterns_of_names() -> None:
    """To compile them takes a fifth of a hook that no server answers."""
    event = {
        "session_id": "s1",
        "cwd": "/work/shop",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
        "tool_response": {"stdout": "a b"},
    }
    code = (
        "from mcp_memory.redaction import redact_tree\nfrom mcp_memory.redaction.rules import compiled\n"
        f"redact_tree('event', {event!r}, [])\nprint(compiled.cache_info().currsize)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert int(finished.stdout) <= 1


def test_a_hook_does_not_take_its_interpreter_apart() -> None:
    code = "import atexit, sys\natexit.register(print, 'taken apart')\nfrom mcp_memory.hooks.client import main\nmain(['no-such-event'])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout == ""
    assert "no-such-event" in finished.stderr


def test_a_hook_that_a_server_answers_loads_no_errors_and_nothing_to_keep_events_with() -> None:
    code = "import sys, mcp_memory.hooks.client\nprint(sorted(name for name in sys.modules if name.startswith('mcp_memory')))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    later = ("errors", "config", "hooks.spool", "hooks.spooling", "hooks.events", "redaction", "domain")
    assert [name for name in later if f"'mcp_memory.{name}'" in finished.stdout] == []


def test_a_server_that_is_to_answer_the_handshake_loads_nothing_of_the_memory() -> None:
    """The memory opens after the handshake; what a host waits for is the protocol's library."""
    code = "import sys, mcp_memory.server.stdio\nprint(sorted(name for name in sys.modules if name.startswith('mcp_memory.')))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    later = (
        "memory",
        "bootstrap",
        "verbs",
        "learning",
        "retrieval",
        "storage",
        "redaction",
        "ports",
        "views",
        "domain.requests",
        "hooks.intake",
    )
    assert [name for name in later if f"'mcp_memory.{name}'" in finished.stdout] == []
