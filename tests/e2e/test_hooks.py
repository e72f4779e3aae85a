"""A session of Claude Code, as its hooks see it: with a server of each kind, without one, and with what is broken in its way."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness import StdioServer
from mcp_memory.cli.install.launching import hook_command
from mcp_memory.hooks import wire

TOKEN = "a-token-that-is-long-enough-for-the-test"
SECRET = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
TASK = "Make the mean of an empty list zero"
SESSION = {"session_id": "s-1", "cwd": "/home/ana/shop", "transcript_path": "t.jsonl", "permission_mode": "default"}
PASSED = {"tool_name": "Bash", "tool_input": {"command": "pytest -q"}, "tool_response": {"stdout": "4 passed", "stderr": ""}}
FAILED = {
    "tool_name": "Bash",
    "tool_input": {"command": "pytest -q"},
    "error": "Exit code 1\nmean.py:1: in mean\nE  ZeroDivisionError: division by zero",
}
HEAVY = ("mcp", "numpy", "onnxruntime", "pydantic", "lmdb", "rich", "anyio", "sqlite3", "msgspec", "http.client", "ssl", "argparse")


class Host:
    """Calls the hooks as Claude Code does: a process each, JSON on stdin."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.env = dict(os.environ) | {"MCP_MEMORY_DATA_DIR": str(data_dir)} | settings

    def run(self, event: str, raw: bytes) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run([*hook_command(), event], input=raw, capture_output=True, timeout=60, env=self.env, check=False)

    def __call__(self, event: str, **fields: Any) -> str:
        done = self.run(event, json.dumps(SESSION | fields).encode())
        assert (done.returncode, done.stderr) == (0, b"")
        return str(json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"]) if done.stdout else ""

    def session(self, task: str = TASK) -> None:
        """One task: a failing test run, an edit, a passing test run."""
        edited = {
            "file_path": "mean.py",
            "old_string": "return sum(values) / len(values)",
            "new_string": f"if not values: token = '{SECRET}'",
        }
        self("session-start", hook_event_name="SessionStart", source="startup")
        self("user-prompt-submit", hook_event_name="UserPromptSubmit", prompt=task)
        self("post-tool-use", hook_event_name="PostToolUseFailure", **FAILED)
        self("post-tool-use", hook_event_name="PostToolUse", tool_name="Edit", tool_input=edited, tool_response={"success": True})
        self("post-tool-use", hook_event_name="PostToolUse", **PASSED)
        self("stop", hook_event_name="Stop", last_assistant_message=f"An empty list is handled. {SECRET}")
        self("session-end", hook_event_name="SessionEnd", reason="other")

    def episodes(self) -> list[dict[str, Any]]:
        """All that is recorded: on a busy machine a command may say that something still waits."""
        command = [sys.executable, "-m", "mcp_memory", "export", "--data-dir", str(self.data_dir)]
        until = time.monotonic() + 60
        while True:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            if "still wait" not in done.stderr:
                return [json.loads(line) for line in done.stdout.splitlines()]
            assert time.monotonic() < until, done.stderr


def wait_for_the_door(data_dir: Path) -> None:
    until = time.monotonic() + 60
    while not wire.answers(str(data_dir / "hooks")):
        assert time.monotonic() < until
        time.sleep(0.05)  # until somebody answers: nothing announces it


@contextmanager
def http_server(data_dir: Path) -> Iterator[None]:
    """Run `mcp-memory serve`, which wants a token, and wait until it keeps the door."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = dict(os.environ) | {"MCP_MEMORY_DATA_DIR": str(data_dir), "MCP_MEMORY_PORT": str(port), "MCP_MEMORY_TOKEN": TOKEN}
    process = subprocess.Popen([sys.executable, "-m", "mcp_memory", "serve"], env=env, stderr=subprocess.DEVNULL)
    try:
        wait_for_the_door(data_dir)
        yield
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def stdio_server(data_dir: Path) -> Iterator[None]:
    """Run the server that an agent host starts, on a data directory that hooks have used before."""
    (data_dir / "hooks").mkdir(parents=True, exist_ok=True)
    with StdioServer("-m", "mcp_memory", "stdio", data_dir=data_dir):
        wait_for_the_door(data_dir)
        yield


def expect_the_session(found: list[dict[str, Any]]) -> None:
    (episode,) = found
    assert (episode["task"], episode["project"], episode["agent"]) == (TASK, "shop@7f6476d3", "claude-code")
    assert [(step["tool"], step["status"]) for step in episode["steps"]] == [("Bash", "error"), ("Edit", "ok"), ("Bash", "ok")]
    assert episode["outcome"]["kind"] == "success"
    assert episode["outcome"]["summary"] == (
        "An empty list is handled. [redacted:github-token]\nOutcome inferred: the last check of the work, step #2 (pytest), passed."
    )


@pytest.mark.parametrize("server", [http_server, stdio_server])
def test_a_session_is_recorded_and_recalled_in_the_next_with_a_server(data_dir: Path, server: Any) -> None:
    host = Host(data_dir)
    with server(data_dir):
        host.session()
        digest = host("session-start", session_id="s-2", source="startup")
        known = host("user-prompt-submit", prompt="The mean of an empty list crashes", session_id="s-2")
        advice = host("post-tool-use", session_id="s-2", hook_event_name="PostToolUseFailure", **FAILED)
    assert not (data_dir / "hooks" / wire.SOCKET).exists()
    assert TASK in digest
    assert f"1. success at “{TASK}”, " in known
    assert "worked after mean.py: " in known
    assert "After this very error Edit mean.py: " in advice
    expect_the_session([episode for episode in host.episodes() if episode["outcome"]])


def test_a_session_is_recorded_without_a_server(data_dir: Path) -> None:
    host = Host(data_dir)
    host.session()
    expect_the_session(host.episodes())
    assert not [path for path in (data_dir / "hooks").iterdir() if path.suffix in (".json", ".spool", ".owed", ".held")]


def test_no_secret_waits_in_the_clear(data_dir: Path) -> None:
    host = Host(data_dir)
    host("user-prompt-submit", prompt=f"Use {SECRET} to log in", session_id="s-9")
    host("post-tool-use", tool_name="Bash", tool_input={"command": f"login {SECRET}"}, tool_response={"stdout": SECRET}, session_id="s-9")
    host.episodes()
    assert not [path for path in data_dir.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_server_that_was_killed_is_noticed_and_nothing_is_lost(data_dir: Path) -> None:
    host = Host(data_dir)
    with stdio_server(data_dir):
        host("user-prompt-submit", prompt=TASK)
        host("post-tool-use", **FAILED)
    with socket.socket(socket.AF_UNIX) as left_behind:  # as after kill -9
        left_behind.bind(str(data_dir / "hooks" / wire.SOCKET))
    host("post-tool-use", **PASSED)
    host("session-end", reason="other")
    (episode,) = host.episodes()
    assert [step["status"] for step in episode["steps"]] == ["error", "ok"]


@contextmanager
def broken_door(data_dir: Path, answer: bytes | None) -> Iterator[list[bytes]]:
    """Keep a door that says *answer* and closes, or, for None, says nothing; yield what it is told."""
    (data_dir / "hooks").mkdir(parents=True, mode=0o700)
    told: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data_dir / "hooks" / wire.SOCKET))
        listener.listen()
        done = threading.Event()

        def serve() -> None:
            connection = listener.accept()[0]
            with connection:
                told.append(connection.recv(65536))
                if answer is None:
                    done.wait(30)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield told
        done.set()
        thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno",
    ],
)
def test_whoever_answers_wrongly_or_not_at_all_costs_no_event(data_dir: Path, answer: bytes | None) -> None:
    host = Host(data_dir)
    with broken_door(data_dir, answer):
        host("user-prompt-submit", prompt=TASK)
    (data_dir / "hooks" / wire.SOCKET).unlink()
    host("post-tool-use", **PASSED)
    host("session-end")
    assert [episode["task"] for episode in host.episodes()] == [TASK]


def test_a_server_on_the_network_is_told_no_secret(data_dir: Path) -> None:
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                told.append(connection.recv(65536))

        thread = threading.Thread(target=serve)
        thread.start()
        host = Host(data_dir, MCP_MEMORY_PORT=str(listener.getsockname()[1]))
        host.run("user-prompt-submit", json.dumps(SESSION | {"prompt": f"Log in with {SECRET}"}).encode())
        thread.join()
    assert b"Log in with" in told[0]
    assert SECRET.encode() not in told[0]


def test_what_a_door_answers_beside_a_text_for_the_agent_is_not_printed(data_dir: Path) -> None:
    answer = b'{"decision": "block", "hookSpecificOutput": {"permissionDecision": "allow", "additionalContext": "known"}}'
    with broken_door(data_dir, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer)):
        done = Host(data_dir).run("user-prompt-submit", json.dumps(SESSION | {"prompt": TASK}).encode())
    assert json.loads(done.stdout) == {"hookSpecificOutput": {"hookEventName": "UserPromptSubmit", "additionalContext": "known"}}


@pytest.mark.parametrize(
    "raw",
    [b"", b"not JSON", b"[]", b"null", b"\xff\xfe\x00", b'{"session_id": "s", "prompt": "\xff\xe9"}', b"[" * 100_000, b'{"a": 1e999}'],
)
@pytest.mark.parametrize("event", ["post-tool-use", "user-prompt-submit", "no-such-event"])
def test_no_input_fails_the_agent(data_dir: Path, raw: bytes, event: str) -> None:
    done = Host(data_dir).run(event, raw)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize("resident", [True, False])
def test_a_huge_tool_output_is_clipped(data_dir: Path, resident: bool) -> None:
    host = Host(data_dir)

    def big_step() -> None:
        host("user-prompt-submit", prompt=TASK)
        host("post-tool-use", tool_name="Read", tool_input={"file_path": "a"}, tool_response={"content": "é" * 10_000_000})
        host("session-end")

    if resident:
        with stdio_server(data_dir):
            big_step()
    else:
        big_step()
    (episode,) = host.episodes()
    assert 7_000 < len(episode["steps"][0]["observation"]) <= 8_000


def test_a_data_directory_that_cannot_be_used_does_not_fail_the_agent(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder", encoding="utf-8")
    done = Host(occupied).run("post-tool-use", json.dumps(SESSION | PASSED).encode())
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"mcp-memory hook post-tool-use: " in done.stderr


def test_a_wrong_setting_does_not_fail_the_agent(data_dir: Path) -> None:
    done = Host(data_dir, MCP_MEMORY_PORT="many").run("post-tool-use", json.dumps(SESSION | PASSED).encode())
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.startswith(b"mcp-memory hook post-tool-use: ")


def test_names_of_other_programs_in_the_environment_lose_no_event(data_dir: Path) -> None:
    kubernetes = {"MCP_MEMORY_PORT": "tcp://10.0.0.7:8765", "MCP_MEMORY_SERVICE_HOST": "10.0.0.7", "MCP_MEMORY_PORT_8765_TCP_PROTO": "tcp"}
    host = Host(data_dir, **kubernetes, MCP_MEMORY_TOKEN="")
    for event, fields in (("user-prompt-submit", {"prompt": TASK}), ("post-tool-use", PASSED), ("session-end", {})):
        done = host.run(event, json.dumps(SESSION | fields).encode())
        assert (done.returncode, b"MCP_MEMORY_PORT is no setting" in done.stderr) == (0, True)
    assert [episode["task"] for episode in host.episodes()] == [TASK]


def test_modules_of_the_project_at_hand_are_not_loaded(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "mcp_memory", "socket", "os"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded from the project')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Host(data_dir)("user-prompt-submit", prompt=TASK)


@pytest.mark.parametrize("resident", [True, False])
def test_logging_a_step_loads_no_heavy_library(data_dir: Path, resident: bool) -> None:
    host = Host(data_dir)
    code = (
        "import sys\nfrom mcp_memory.cli.main import main\nassert main(['hook', 'post-tool-use']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )

    def loaded() -> str:
        host("user-prompt-submit", prompt=TASK)
        command = [sys.executable, "-c", code]
        event = json.dumps(SESSION | PASSED)
        return subprocess.run(command, input=event, capture_output=True, text=True, timeout=60, env=host.env, check=True).stdout

    if resident:
        with stdio_server(data_dir):
            assert loaded() == "[]\n"
    else:
        assert loaded() == "[]\n"


def test_the_benchmark_of_the_hooks_measures_everything() -> None:
    command = [sys.executable, "-m", "benchmarks.bench_hooks", "--calls", "1", "--episodes", "5", "--json"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    latency = json.loads(done.stdout)["latency_ms"]
    events = {name.partition(": ")[2] for name in latency if ": " in name}
    assert events == {
        *("session-start", "user-prompt-submit, first", "user-prompt-submit", "post-tool-use"),
        *("post-tool-use, failed", "stop, completing", "session-end"),
    }
    assert {name.partition(":")[0] for name in latency} == {
        *("bare interpreter", "bare interpreter -I -S", "installed, server", "script, server", "installed, alone"),
    }
