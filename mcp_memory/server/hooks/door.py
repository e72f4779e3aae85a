"""The door: `POST /hook/EVENT`, where a process that has the memory open answers the hooks. `keeper` says who opens one and where."""

import logging
import os
import secrets
import time
from uuid import uuid4

from starlette.background import BackgroundTask
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from mcp_memory.errors import McpMemoryError
from mcp_memory.server.auditing import AuditLog
from mcp_memory.server.errors import one_line
from mcp_memory.server.hooks import events, wire
from mcp_memory.server.hooks.turns import Hooks, Record, folder_of
from mcp_memory.server.lifecycle import MemoryHost

_PREFIX = "/hook/"
MAX_EVENT_BYTES = 16 * 1024 * 1024  # a tool's whole output comes with its event; what is larger, the hook clips and spools
logger = logging.getLogger(__name__)


class Door:
    """Answers the hooks' events. Who may ask is settled before: by the key in the door file, or on `serve`'s port by its guard."""

    def __init__(self, host: MemoryHost, log: AuditLog | None = None) -> None:
        self._host, self._log = host, log
        self.folder = folder_of(host.config)
        self.key = secrets.token_urlsafe(24)

    def route(self) -> Route:
        """Return the route the events come by."""
        return Route(_PREFIX + "{event}", self._answer, methods=["POST"])

    def knows(self, key: str) -> bool:
        """Return whether *key* is the one in the door file this process writes."""
        return secrets.compare_digest(key.encode(), self.key.encode())

    def opens(self, scope: Scope) -> bool:
        """Return whether a request carries the key and goes to the door."""
        return str(scope["path"]).startswith(_PREFIX) and self.knows(Headers(scope=scope).get(wire.KEY_HEADER, ""))

    def is_used(self) -> bool:
        """Return whether hooks are set up, or have run, on this data directory."""
        return os.path.isdir(self.folder)

    async def hooks(self) -> Hooks:
        """Return the hooks on the open memory; wait for it if need be."""
        return Hooks(await self._host.memory(), self.folder)

    async def _answer(self, request: Request) -> Response:
        """200 with what the hook prints; 400: it was not understood; 503: it should be spooled."""
        event = request.path_params["event"]
        if event == wire.PING:
            return PlainTextResponse("")
        if event not in events.EVENTS:
            return PlainTextResponse("no such event", 404)
        started = time.perf_counter()
        try:
            told = events.told_by(await _body(request))
            record = self._record(event, told, request)
            hooks = await self.hooks()
            text, episode_id = await hooks.handle(record)
        except (ValueError, RecursionError) as error:
            return PlainTextResponse(one_line(str(error)), 400)
        except (McpMemoryError, OSError) as error:
            logger.warning("the %s hook is put off: %s", event, error)
            return PlainTextResponse(one_line(str(error)), 503)
        if self._log is not None:
            took_ms = (time.perf_counter() - started) * 1000
            self._log.record("claude-code hook", f"hook/{event}", {"episode_id": episode_id}, {"isError": False}, took_ms)
        # A prompt ends the turn before it; the agent need not wait for that one's lessons.
        after = BackgroundTask(_finish, hooks, record["session"]) if event == "user-prompt-submit" else None
        output = events.shown(events.name_of(event, told), text)
        return Response(output, media_type="application/json", background=after)

    def _record(self, event: str, told: Record, request: Request) -> Record:
        call_id = request.headers.get(wire.CALL_HEADER) or str(uuid4())
        project = request.query_params.get("project", "")
        record = events.record_of(event, told, call_id=call_id, project=project, at_ms=time.time_ns() // 1_000_000)
        if self._host.config.server.redact:  # the ledger keeps prompts and answers; the memory itself redacts again
            record = events.redacted(record)
        return record


async def _body(request: Request) -> bytes:
    """Return the body. Raises ValueError: it is larger than an event should be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_EVENT_BYTES:
            raise ValueError(f"an event of more than {MAX_EVENT_BYTES:,} bytes")
    return bytes(body)


async def _finish(hooks: Hooks, session_id: str) -> None:
    try:
        await hooks.finish(session_id)
    except (McpMemoryError, OSError) as error:  # it stays in the ledger, and the next look completes it
        logger.warning("a turn of session %s is completed later: %s", session_id, error)
