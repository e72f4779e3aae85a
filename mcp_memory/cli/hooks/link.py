"""Two ways to the memory: a resident server over HTTP (light imports, a few milliseconds), else the memory opened in this process.

The HTTP side speaks the stateless form of MCP (2026-07-28): one POST a call, no handshake, no session.
"""

import json
import socket

from mcp_memory import __version__
from mcp_memory.errors import McpMemoryError, StoreUnavailable

TYPE_CHECKING = False  # as type checkers know it: the hooks run with every step, and imports are most of their time
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Protocol, Self

    from mcp_memory.config import Config

    class Link(Protocol):
        """What the hooks need of a memory."""

        def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
            """Call a tool and return its structured answer. Raises McpMemoryError."""

        def digest(self, project: str) -> str:
            """Return what the memory knows about a project, as Markdown."""


PROTOCOL = "2026-07-28"
CONNECT_TIMEOUT_S = 0.25  # a server on this machine accepts at once
ANSWER_TIMEOUT_S = 5.0
_META = {
    "io.modelcontextprotocol/protocolVersion": PROTOCOL,
    "io.modelcontextprotocol/clientInfo": {"name": "mcp-memory-hook", "version": __version__},
    "io.modelcontextprotocol/clientCapabilities": {},
}


class HttpLink:
    """A resident server, asked over a socket of this machine."""

    def __init__(self, host: str, port: int, token: str = "") -> None:
        self._host, self._port, self._token = host, port, token

    def _connected(self) -> socket.socket:
        # Bytes, since a str would load the codec for international names, which takes as long as the call.
        return socket.create_connection((self._host.encode(), self._port), CONNECT_TIMEOUT_S)  # type: ignore[arg-type]

    def answers(self) -> bool:
        """Return whether something listens there."""
        try:
            self._connected().close()
        except OSError:
            return False
        return True

    def call(self, tool: str, /, **arguments: "Any") -> "dict[str, Any]":
        result = self._request("tools/call", tool, {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise McpMemoryError(" ".join(part.get("text", "") for part in result["content"]))
        return dict(result["structuredContent"])

    def digest(self, project: str) -> str:
        uri = f"memory://project/{project}"
        contents = self._request("resources/read", uri, {"uri": uri})["contents"]
        return "\n".join(part.get("text", "") for part in contents)

    def _request(self, method: str, name: str, params: "dict[str, Any]") -> "dict[str, Any]":
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": _META}}).encode()
        headers = {
            "Host": f"{self._host}:{self._port}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": PROTOCOL,
            "Mcp-Method": method,
            "Mcp-Name": name,
            "Connection": "close",
        } | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        head = "POST /mcp HTTP/1.1\r\n" + "".join(f"{key}: {value}\r\n" for key, value in headers.items()) + "\r\n"
        try:
            with self._connected() as connection:
                connection.settimeout(ANSWER_TIMEOUT_S)
                connection.sendall(head.encode("latin-1") + body)
                raw = b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError as error:
            raise StoreUnavailable(f"the server on {self._host}:{self._port} does not answer: {error}") from error
        return _result(raw)


def _result(raw: bytes) -> "dict[str, Any]":
    """Return the JSON-RPC result in an HTTP answer. Raises McpMemoryError: refused, an error, or not HTTP."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        body = _dechunked(body)
    text = body.decode("utf-8", "replace")
    if headers.get("content-type", "").startswith("text/event-stream"):
        events = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")]
        text = next((event for event in reversed(events) if '"id"' in event), "")
    try:
        message = json.loads(text)
        if "result" in message:
            return dict(message["result"])
        reason = message["error"]["message"]
    except (ValueError, TypeError, KeyError):
        reason = lines[0] or "no answer"
    raise StoreUnavailable(f"the server refused the call: {reason}", hint="Is it this version, and is the token right?")


def _dechunked(body: bytes) -> bytes:
    parts = []
    while body:
        size_line, _, rest = body.partition(b"\r\n")
        size = int(size_line.split(b";")[0] or b"0", 16)
        if size == 0:
            break
        parts.append(rest[:size])
        body = rest[size + 2 :]
    return b"".join(parts)


class OwnLink:
    """The memory opened in this process, without the model: a server embeds later what is written here."""

    def __init__(self, config: "Config") -> None:
        from contextlib import ExitStack
        from dataclasses import replace

        self._config = replace(config, embedding=replace(config.embedding, provider="off"))
        self._stack = ExitStack()

    def __enter__(self) -> "Self":
        from anyio.from_thread import start_blocking_portal

        from mcp_memory.bootstrap import open_memory

        self._portal = self._stack.enter_context(start_blocking_portal())
        self._memory = self._stack.enter_context(self._portal.wrap_async_context_manager(open_memory(self._config)))
        return self

    def __exit__(self, kind: "type[BaseException] | None", value: "BaseException | None", traceback: "TracebackType | None") -> None:
        self._stack.__exit__(kind, value, traceback)

    def call(self, tool: str, /, **arguments: "Any") -> "dict[str, Any]":
        from mcp_memory.server.render import answer

        verb = getattr(self._memory, tool)

        async def called() -> "Mapping[str, Any]":
            return answer(await verb(**arguments))

        return dict(self._portal.call(called))

    def digest(self, project: str) -> str:
        async def read() -> str:
            return await self._memory.project_digest(project=project)

        return self._portal.call(read)
