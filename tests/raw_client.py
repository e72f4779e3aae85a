"""A raw JSON-lines client of a real stdio server process: no SDK in between, so that tests can kill the server at any point."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def server_environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return an environment without the caller's own settings, pointing at *data_dir*."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("MCP_MEMORY_") and k != "CLAUDE_PROJECT_DIR"}
    return clean | {"MCP_MEMORY_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"} | settings


class ServerDied(Exception):
    """The server closed its end before it answered."""


class RawClient:
    """Starts a server, shakes hands, and sends requests one line each. Use as a context manager."""

    def __init__(self, data_dir: Path, *arguments: str, python: Sequence[str] = (sys.executable,), **settings: str) -> None:
        """*python* starts the interpreter: with options, or under another program."""
        command = [*python, "-m", "mcp_memory", *(arguments or ("stdio",))]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=server_environment(data_dir, **settings),
        )
        self._next_id = 0
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
        self.request("initialize", hello)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message. Raises ServerDied."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except (BrokenPipeError, OSError) as error:
            raise ServerDied from error

    def post(self, method: str, params: Mapping[str, Any]) -> int:
        """Send a request without waiting and return its id."""
        self._next_id += 1
        self.send({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params})
        return self._next_id

    def receive(self) -> dict[str, Any]:
        """Return the next message that is a response. Raises ServerDied at the end of the stream."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if not line.endswith(b"\n"):
                break
            message: dict[str, Any] = json.loads(line)
            if "id" in message and "method" not in message:
                return message
        raise ServerDied

    def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return its response message."""
        wanted = self.post(method, params)
        while True:
            message = self.receive()
            if message["id"] == wanted:
                return message

    def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its structured content. Raises AssertionError when the tool says no."""
        message = self.request("tools/call", {"name": name, "arguments": arguments})
        assert "result" in message, message
        result = message["result"]
        assert not result.get("isError"), result
        content: dict[str, Any] = result["structuredContent"]
        return content

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._reap()

    def close(self) -> None:
        """End of input, as a host that quits; kill only a server that does not go."""
        assert self.process.stdin is not None
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self._reap()

    def _reap(self) -> None:
        self.process.wait(15)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
