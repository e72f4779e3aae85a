"""A model on the loopback address that follows a script, for real agent hosts without an account, in each of the `dialects` they speak.

A user's line `SCRIPT:name …` chooses a script, a list of rounds; a round is a list of (tool, arguments). After the last one it says
"Done." Every request is kept, so that a test can see what reached the model.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

from tests.hosts.dialects import DIALECTS, LOADER, Dialect, Round

_MARK = re.compile(r"^SCRIPT:(\w+)", re.MULTILINE)
_LOADS = 10


class ScriptedModel:
    """The model: its scripts, and the requests it got that follow one."""

    def __init__(self, scripts: Mapping[str, Sequence[Round]]) -> None:
        self.scripts, self.requests = scripts, list[dict[str, Any]]()
        self._ids = count()

    def answer(self, dialect: Dialect, body: dict[str, Any]) -> dict[str, Any]:
        """Return the model's next answer."""
        script, rounds = self._place(dialect, body)
        if script:
            self.requests.append(body)
        turns = self.scripts.get(script, ())
        calls, offered = list(turns[rounds]) if rounds < len(turns) else [], dialect.offered(body)
        if (missing := [tool for tool, _ in calls if tool.startswith("mcp__") and tool not in offered]) and LOADER in offered:
            calls = [(LOADER, {"query": "select:" + ",".join(missing), "max_results": _LOADS})]
        return dialect.answer(body, calls, lambda prefix: f"{prefix}{next(self._ids):08}")

    def _place(self, dialect: Dialect, body: dict[str, Any]) -> tuple[str, int]:
        """Return the script of the conversation, "" for none, and the round it has come to."""
        script, rounds = "", 0
        for said in dialect.conversation(body):
            if said is None:
                rounds += 1
            elif found := _MARK.search(said):
                script, rounds = found[1], 0
        return script, rounds

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve it; yield its address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _sent(event: dict[str, Any]) -> str:
    named = f"event: {event['type']}\n" if "type" in event else ""  # Gemini's have no name
    return f"{named}data: {json.dumps(event)}\n\n"


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body, path = json.loads(self._body() or b"{}"), self.path.split("?")[0]
            dialect = next((dialect for end, dialect in DIALECTS.items() if path.endswith(end)), None)
            if dialect is None:
                tokens = {"input_tokens": 1000, "totalTokens": 1000} if "count" in path.casefold() else None
                self._send("application/json", json.dumps(tokens or {}).encode(), 200 if tokens else 404)
                return
            answer = model.answer(dialect, body)
            if dialect.is_streamed(path, body):
                self._send("text/event-stream", "".join(map(_sent, dialect.stream(answer))).encode())
            else:
                self._send("application/json", json.dumps(answer).encode())

        def do_GET(self) -> None:
            self._send("application/json", b"{}")

        do_HEAD = do_GET

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding", "").casefold() != "chunked":
                return self.rfile.read(int(self.headers.get("content-length") or 0))
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, kind: str, raw: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

    return Handler
