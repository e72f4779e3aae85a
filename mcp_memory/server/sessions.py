"""Sessions of Streamable HTTP's older era: a share for each holder of a token, and a new one for who comes with an old id."""

import json
from collections import OrderedDict
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_memory.server.auditing import holder_of

MAX_SESSIONS = 2_000  # each ends after 30 idle minutes
MAX_PER_HOLDER = 200
MAX_HOLDERS = 10_000  # whose sessions are counted
_ID = "mcp-session-id"


class Sessions:
    """ASGI application in front of the SDK's. Over the share of a holder, that holder's least recently used session is ended."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, per_holder: int = MAX_PER_HOLDER) -> None:
        self._app, self._max_body_bytes, self._per_holder = app, max_body_bytes, per_holder
        self._of: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session_id = Headers(scope=scope).get(_ID)
        own = self._of_holder(scope)
        if session_id in own and session_id is not None:
            own.move_to_end(session_id)
            if scope["method"] == "DELETE":
                del own[session_id]
        elif scope["method"] == "POST":
            if session_id is not None:
                scope, receive = await self._as_new(scope, receive)
            send = self._noting(scope, own, send)
        await self._app(scope, receive, send)

    def _of_holder(self, scope: Scope) -> OrderedDict[str, None]:
        holder = holder_of(scope)
        own = self._of.setdefault(holder, OrderedDict())
        self._of.move_to_end(holder)
        if len(self._of) > MAX_HOLDERS:
            self._of.popitem(last=False)
        return own

    def _noting(self, scope: Scope, own: OrderedDict[str, None], send: Send) -> Send:
        """Return *send*, which notes the session that the answer opens, and ends one that is over the share."""

        async def noting(message: Message) -> None:
            opened = Headers(raw=message["headers"]).get(_ID) if message["type"] == "http.response.start" else None
            if opened is not None and opened not in own and message["status"] < 400:
                own[opened] = None
                while len(own) > self._per_holder:
                    await self._end(scope, own.popitem(last=False)[0])
            await send(message)

        return noting

    async def _end(self, scope: Scope, session_id: str) -> None:
        """End a session as its holder would, with DELETE."""
        headers = [(b"mcp-session-id", session_id.encode("latin-1")), (b"accept", b"application/json")]

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            return None

        await self._app({**scope, "method": "DELETE", "headers": headers}, receive, send)

    async def _as_new(self, scope: Scope, receive: Receive) -> tuple[Scope, Receive]:
        """Return the request without its session id where it asks for a new session: the old one ended with an earlier server."""
        messages, size = list[Message](), 0
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
            size += len(messages[-1].get("body", b""))
            if size > self._max_body_bytes:
                break
        if size <= self._max_body_bytes and _opens(b"".join(message.get("body", b"") for message in messages)):
            scope = {**scope, "headers": list(scope["headers"])}
            del MutableHeaders(scope=scope)[_ID]

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        return scope, replay


def _opens(body: bytes) -> bool:
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and message.get("method") == "initialize"
