"""A model on the loopback address that follows a script, for real agent hosts without an account: Anthropic's Messages, as a stream.

A user's text with `SCRIPT:name` chooses a script, a list of rounds; a round is a list of (tool, arguments). After the last one it says
"Done." Every request is kept, so that a test can see what reached the model.
"""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

Round = Sequence[tuple[str, Mapping[str, Any]]]
_MARK = "SCRIPT:"
_LOADER = "ToolSearch"  # how the host loads a tool that it keeps back
_LOADS = 10


class ScriptedModel:
    """The model: its scripts, and the requests it got."""

    def __init__(self, scripts: Mapping[str, Sequence[Round]]) -> None:
        self.scripts, self.requests = scripts, list[dict[str, Any]]()
        self._ids = count()

    def answer(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the model's next message."""
        self.requests.append(body)
        calls, offered = self._next(body), {tool.get("name") for tool in body.get("tools", [])}
        if (missing := [tool for tool, _ in calls if tool.startswith("mcp__") and tool not in offered]) and _LOADER in offered:
            calls = [(_LOADER, {"query": "select:" + ",".join(missing), "max_results": _LOADS})]
        content = [{"type": "tool_use", "id": f"toolu_{next(self._ids):08}", "name": tool, "input": given} for tool, given in calls]
        return {
            "id": f"msg_{next(self._ids):08}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", "scripted"),
            "content": content or [{"type": "text", "text": "Done."}],
            "stop_reason": "tool_use" if content else "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 100, "output_tokens": 20},
        }

    def _next(self, body: dict[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the calls of the round that the conversation has come to."""
        script, rounds = "", 0
        for message in body.get("messages", []):
            blocks = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
            if message["role"] == "user":
                for block in blocks:
                    text = (
                        str(block.get("text", ""))
                        if block.get("type") == "text" and "<system-reminder>" not in str(block.get("text"))
                        else ""
                    )
                    if _MARK in text:
                        script, rounds = text.split(_MARK)[-1].split()[0].strip("\"'.<"), 0
            elif any(block.get("type") == "tool_use" and block.get("name") != _LOADER for block in blocks):
                rounds += 1
        turns = self.scripts.get(script, ())
        return list(turns[rounds]) if rounds < len(turns) else []

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


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": message | {"content": [], "stop_reason": None}}
    for index, block in enumerate(message["content"]):
        is_text = block["type"] == "text"
        empty = {"type": "text", "text": ""} if is_text else block | {"input": {}}
        delta = (
            {"type": "text_delta", "text": block["text"]}
            if is_text
            else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        )
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None}, "usage": message["usage"]}
    yield {"type": "message_stop"}


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
            if self.path.split("?")[0].endswith("/count_tokens"):
                self._send("application/json", json.dumps({"input_tokens": 1000}).encode())
                return
            message = model.answer(body)
            if body.get("stream"):
                stream = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in _events(message))
                self._send("text/event-stream", stream.encode())
            else:
                self._send("application/json", json.dumps(message).encode())

        def do_GET(self) -> None:
            self._send("application/json", b"{}")

        do_HEAD = do_GET

        def _send(self, kind: str, raw: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

    return Handler
