"""The stdio server as a process: the handshake, the end of input, signals, a vanished parent, and lines that are no messages."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.wire import ENVELOPE, INITIALIZE, ROOT, Process

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and parent processes are POSIX")
SOON_S = 4.0  # the process' own bound is one second; the rest is this machine's load, and what hangs takes ten


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    with Process(tmp_path) as process:
        yield process


@pytest.fixture(scope="module")
def long_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One server for tests that only ask."""
    with Process(tmp_path_factory.mktemp("server")) as process:
        process.shake_hands()
        yield process


def test_the_handshake_offers_what_the_server_has(server: Process) -> None:
    result = server.shake_hands()["result"]
    assert result["protocolVersion"] == "2025-11-25"
    assert set(result["capabilities"]) >= {"tools", "resources", "prompts", "completions"}
    assert result["capabilities"]["resources"]["subscribe"] is True
    assert "start_episode" in result["instructions"]
    server.send("tools/list", {}, 1)
    assert len(server.answer(1)["result"]["tools"]) == 11  # stdio shows the core set


def test_the_newest_era_needs_no_handshake(server: Process) -> None:
    server.send("server/discover", {"_meta": ENVELOPE}, 1)
    assert "2026-07-28" in server.answer(1)["result"]["supportedVersions"]
    server.send("tools/call", {"name": "recall", "arguments": {"query": "q"}, "_meta": ENVELOPE}, 2)
    result = server.answer(2)["result"]
    assert result["structuredContent"]["project"] == "shop"
    assert result["resultType"] == "complete"
    server.send("tools/list", {"_meta": ENVELOPE}, 3)
    listed = server.answer(3)["result"]
    assert listed["ttlMs"] > 0
    assert listed["cacheScope"] == "public"


def test_nothing_heavy_is_loaded_before_the_first_answer() -> None:
    heavy = (
        "numpy",
        "onnxruntime",
        "lmdb",
        "tokenizers",
        "sqlite3",
        "mcp_memory.domain.answers",
        "mcp_memory.domain.reports",
        "mcp_memory.memory",
        "mcp_memory.bootstrap",
        "sklearn",
    )
    code = f"import sys; import mcp_memory.server.stdio; print([name for name in {heavy!r} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    assert finished.stdout.strip() == "[]"


def test_calls_in_flight_at_the_end_of_input_are_answered(server: Process) -> None:
    server.send("initialize", INITIALIZE, 0)
    server.send("notifications/initialized")
    for number in range(1, 51):
        server.call("start_episode", {"task": f"task {number}"}, number)
    server.end_input()
    answered = set()
    while (message := server.receive()) is not None:
        assert "result" in message, message
        answered.add(message["id"])
    assert answered == set(range(51))
    assert server.popen.wait(10) == 0


def test_the_process_ends_soon_after_the_input(server: Process) -> None:
    server.shake_hands()
    server.call("memory_status", {}, 1)
    server.answer(1)
    started = time.monotonic()
    server.end_input()
    assert server.popen.wait(10) == 0
    assert time.monotonic() - started < SOON_S


@posix
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_process_soon_while_input_stays_open(server: Process, sent: signal.Signals) -> None:
    server.shake_hands()
    started = time.monotonic()
    server.popen.send_signal(sent)
    assert server.popen.wait(10) == 0
    assert time.monotonic() - started < SOON_S


@posix
def test_a_server_whose_parent_vanished_ends_though_its_input_stays_open(tmp_path: Path) -> None:
    # The middle process starts a server that inherits our pipe, tells its pid and dies; the pipe stays open in our hands.
    middle = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'tests.e2e.fake_server', 'stdio'])\n"
        "print(child.pid, file=sys.stderr, flush=True)\n"
        "child.wait()\n"
    )
    environment = os.environ | {"MCP_MEMORY_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(
        [sys.executable, "-c", middle],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment,
    )
    assert parent.stdin is not None
    assert parent.stdout is not None
    assert parent.stderr is not None
    with parent:
        child_pid = int(parent.stderr.readline())
        parent.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE}).encode() + b"\n")
        parent.stdin.flush()
        assert json.loads(parent.stdout.readline())["id"] == 0
        os.kill(parent.pid, signal.SIGKILL)
        assert parent.stdout.read() == b""  # the end of output: nobody holds the pipe any more
    assert child_pid != parent.pid


@posix
def test_a_server_whose_parent_ends_while_it_still_loads_ends_too(tmp_path: Path) -> None:
    server = (
        "import os, sys, time\n"
        "from mcp_memory.cli.main import load, main\n"
        "load('stdio')\n"
        "parent = os.getppid()\n"
        "print('loading', file=sys.stderr, flush=True)\n"
        "while os.getppid() == parent: time.sleep(0.01)\n"  # as long as the rest takes to load on a busy machine
        "main(['stdio'])\n"
    )
    middle = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {server!r}], stderr=subprocess.PIPE)\n"
        "child.stderr.readline()\n"
        "os._exit(0)\n"
    )
    environment = os.environ | {"MCP_MEMORY_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", middle], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.read() == b""  # the end of output, though its input is open in our hands


@pytest.mark.parametrize(
    ("line", "code", "request_id"),
    [
        (b"garbage", -32700, None),
        (b"[]", -32600, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, None),
        (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":8,"method":5}', -32600, 8),
        (rb'{"jsonrpc":"2.0","id":9,"method":"ping","params":{"text":"\ud800"}}', -32600, 9),
        (rb'{"jsonrpc":"2.0","id":"\ud800","method":"ping"}', -32600, None),
        (b"\xff\xfe\x00", -32700, None),
        (b'{"a":' * 5_000, -32700, None),
    ],
)
def test_a_line_that_is_no_message_is_answered_and_the_server_goes_on(
    long_lived: Process, line: bytes, code: int, request_id: int | None
) -> None:
    server = long_lived
    server.write(b"\n\n" + line + b"\n")
    refused = server.receive()
    assert refused is not None
    assert refused["error"]["code"] == code
    assert refused["id"] == request_id
    server.send("ping", {}, 1)
    assert server.answer(1)["result"] == {}


def test_large_messages_pass_both_ways(long_lived: Process) -> None:
    server = long_lived
    steps = [{"tool": "bash", "observation": "x" * 50_000} for _ in range(100)]
    server.call("start_episode", {"task": "t", "recall": False}, 1)
    server.answer(1)
    server.call("log_steps", {"episode_id": "ep0", "steps": steps}, 2)
    assert server.answer(2)["result"]["structuredContent"]["last_index"] == 99
    server.call("recall", {"query": "q", "limit": 40}, 3)
    assert len(json.dumps(server.answer(3))) > 10_000


def test_stray_output_of_the_program_does_not_reach_the_wire(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "import tests.unit.server.fake_memory as fake\n"
        "original = fake.FakeMemory.recall\n"
        "async def recall(self, **arguments):\n"
        "    print('stray'); sys.stdout.flush(); os.write(1, b'stray\\n'); os.system('echo stray')\n"
        "    return await original(self, **arguments)\n"
        "fake.FakeMemory.recall = recall\n"
        "from tests.e2e.fake_server import main\n"
        "sys.exit(main('stdio'))\n"
    )
    with Process(tmp_path, "-c", code) as server:
        server.shake_hands()
        server.call("recall", {"query": "q"}, 1)
        message = server.receive()
        assert message is not None
        assert message["id"] == 1


@pytest.mark.parametrize("request_id", [{}, {"a": 1}, [], [1], None, True, 1.5, "", 10**400, "\ud800"])
def test_a_cancellation_of_what_is_no_id_is_ignored(long_lived: Process, request_id: object) -> None:
    long_lived.send("notifications/cancelled", {"requestId": request_id})
    long_lived.send("notifications/cancelled", {})
    long_lived.send("notifications/cancelled")
    long_lived.send("ping", {}, 900)
    assert long_lived.answer(900)["result"] == {}


def test_a_client_that_goes_without_a_word_ends_the_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mcp_memory", "stdio", "--data-dir", str(tmp_path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
