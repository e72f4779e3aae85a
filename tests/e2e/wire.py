"""A server process and raw JSON lines: what a client sees, byte by byte."""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "wire", "version": "1"}}
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "wire", "version": "1"},
}
DEADLINE_S = 30


class Process:
    """A stdio server. Lines it writes arrive in a queue, so that every wait has a deadline."""

    def __init__(self, data_dir: Path, *command: str, wrapper: tuple[str, ...] = ()) -> None:
        self._log_path = data_dir / "server.log"
        self._log = self._log_path.open("ab")
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_")}
        self.popen = subprocess.Popen(
            [*wrapper, sys.executable, *(command or ("-m", "tests.e2e.fake_server", "stdio"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=ROOT,
            env=clean | {"MCP_MEMORY_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)},
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait(DEADLINE_S)
        self._thread.join(DEADLINE_S)
        self._log.close()
        for pipe in (self.popen.stdin, self.popen.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def log(self) -> str:
        """Return what the server wrote to stderr."""
        return self._log_path.read_text(errors="replace")

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def write(self, data: bytes) -> None:
        """Send raw bytes."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(data)
        self.popen.stdin.flush()

    def send(self, method: str, params: Any = None, request_id: int | str | None = None) -> None:
        """Send a request, or a notification when there is no id."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        if request_id is not None:
            message["id"] = request_id
        self.write(json.dumps(message).encode() + b"\n")

    def receive(self, deadline_s: float = DEADLINE_S) -> dict[str, Any] | None:
        """Return the next message, None at the end of output."""
        line = self._lines.get(timeout=deadline_s)
        message: dict[str, Any] | None = None if line is None else json.loads(line)
        return message

    def answer(self, request_id: int | str) -> dict[str, Any]:
        """Return the answer to a request; other messages are passed over."""
        while (message := self.receive()) is not None:
            if message.get("id") == request_id and "method" not in message:
                return message
        raise AssertionError(f"no answer to {request_id}; the server's log ends {self.log()[-2000:]}")

    def shake_hands(self) -> dict[str, Any]:
        """Open a connection of the older era."""
        self.send("initialize", INITIALIZE, 0)
        answer = self.answer(0)
        self.send("notifications/initialized")
        return answer

    def call(self, tool: str, arguments: Any, request_id: int) -> None:
        """Send a tool call."""
        self.send("tools/call", {"name": tool, "arguments": arguments}, request_id)

    def end_input(self) -> None:
        """Close stdin, as a client that leaves."""
        assert self.popen.stdin is not None
        self.popen.stdin.close()
