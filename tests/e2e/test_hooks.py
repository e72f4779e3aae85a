"""A session of Claude Code, as its hooks see it, against a resident server and without one."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.cli.hooks.link import HttpLink

TOKEN = "a-token-that-is-long-enough-for-the-test"
SESSION = {"session_id": "s-1", "cwd": "/home/ana/shop", "transcript_path": "t.jsonl", "permission_mode": "default"}
HEAVY = ("mcp", "numpy", "onnxruntime", "pydantic", "lmdb", "rich", "anyio", "sqlite3", "msgspec", "http.client", "ssl")


def environment(data_dir: Path, port: int) -> dict[str, str]:
    return dict(os.environ) | {"MCP_MEMORY_DATA_DIR": str(data_dir), "MCP_MEMORY_PORT": str(port), "MCP_MEMORY_TOKEN": TOKEN}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(data_dir: Path, port: int) -> Iterator[None]:
    """Run `mcp-memory serve` and wait until it accepts connections."""
    process = subprocess.Popen([sys.executable, "-m", "mcp_memory", "serve"], env=environment(data_dir, port), stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not HttpLink("127.0.0.1", port).answers():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)  # until the port is open: nothing announces it
        yield
    finally:
        process.terminate()
        process.wait(30)


class Host:
    """Calls the hooks as Claude Code does: a process each, JSON on stdin."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self._env = environment(data_dir, port)

    def __call__(self, event: str, **fields: Any) -> str:
        command = [sys.executable, "-m", "mcp_memory", "hook", event]
        done = subprocess.run(
            command, input=json.dumps(SESSION | fields), capture_output=True, text=True, timeout=60, env=self._env, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"] if done.stdout else ""

    def session(self, task: str) -> None:
        """One task: a failing test run, an edit, a passing test run."""
        self("session-start", hook_event_name="SessionStart", source="startup")
        self("user-prompt-submit", hook_event_name="UserPromptSubmit", prompt=task)
        failure = {
            "tool_name": "Bash",
            "tool_input": {"command": "pytest -q"},
            "error": "Exit code 1\nE  ZeroDivisionError: division by zero",
        }
        self("post-tool-use", hook_event_name="PostToolUseFailure", **failure)
        edit = {
            "tool_name": "Edit",
            "tool_input": {"file_path": "mean.py", "new_string": "if not values"},
            "tool_response": {"success": True},
        }
        self("post-tool-use", hook_event_name="PostToolUse", **edit)
        passed = {"tool_name": "Bash", "tool_input": {"command": "pytest -q"}, "tool_response": {"stdout": "4 passed", "stderr": ""}}
        self("post-tool-use", hook_event_name="PostToolUse", **passed)
        self("stop", hook_event_name="Stop", last_assistant_message="An empty list is handled.")
        self("session-end", hook_event_name="SessionEnd", reason="other")


def episodes(data_dir: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "mcp_memory", "export", "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def expect_the_session(found: list[dict[str, Any]]) -> None:
    (episode,) = found
    assert (episode["task"], episode["project"], episode["agent"]) == ("Make the mean of an empty list zero", "shop", "claude-code")
    assert [(step["tool"], step["status"]) for step in episode["steps"]] == [("Bash", "error"), ("Edit", "ok"), ("Bash", "ok")]
    assert episode["outcome"]["kind"] == "success"
    assert episode["outcome"]["summary"].startswith(
        "An empty list is handled.\nOutcome inferred: the last check, step #2 (pytest), passed."
    )


def test_a_session_is_recorded_and_recalled_in_the_next_with_a_resident_server(data_dir: Path) -> None:
    port = free_port()
    host = Host(data_dir, port)
    with server(data_dir, port):
        host.session("Make the mean of an empty list zero")
        digest = host("session-start", session_id="s-2", source="startup")
        known = host("user-prompt-submit", prompt="Averages crash when there are no values", session_id="s-2")
        advice = host(
            "post-tool-use",
            session_id="s-2",
            hook_event_name="PostToolUseFailure",
            tool_name="Bash",
            tool_input={"command": "pytest -q"},
            error="Exit code 1\nE  ZeroDivisionError: division by zero",
        )
    assert "Make the mean of an empty list zero" in digest
    assert "Make the mean of an empty list zero (success" in known
    assert "ZeroDivisionError" in advice
    expect_the_session([episode for episode in episodes(data_dir) if episode["outcome"]])


def test_a_session_is_recorded_without_a_server(data_dir: Path) -> None:
    Host(data_dir, free_port()).session("Make the mean of an empty list zero")
    expect_the_session(episodes(data_dir))
    assert not list((data_dir / "hooks").glob("*.json"))


@pytest.mark.parametrize("resident", [True, False])
def test_logging_a_step_loads_no_heavy_library(data_dir: Path, resident: bool) -> None:
    port = free_port()
    event = json.dumps(SESSION | {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {"stdout": "a"}})
    code = (
        "import sys\nfrom mcp_memory.cli.main import main\nassert main(['hook', 'post-tool-use']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    def loaded() -> str:
        Host(data_dir, port)("user-prompt-submit", prompt="Make the mean of an empty list zero")
        command = [sys.executable, "-c", code]
        env = environment(data_dir, port)
        return subprocess.run(command, input=event, capture_output=True, text=True, timeout=60, env=env, check=True).stdout

    if resident:
        with server(data_dir, port):
            assert loaded() == "[]\n"
    else:
        assert loaded() == "[]\n"
