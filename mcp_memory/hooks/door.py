"""The door: `POST /hook/EVENT`, where a process that has the memory open answers the hooks. `keeper` says who opens one and where."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import anyio
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mcp_memory.errors import McpMemoryError, StoreUnavailable
from mcp_memory.hooks import answers, events, signs, spool, wire
from mcp_memory.hooks.kinds import EVENTS, PROMPTS
from mcp_memory.rendering.on_one_line import one_line

if TYPE_CHECKING:
    from mcp_memory.config import Config
    from mcp_memory.hooks.intake import Hooks
    from mcp_memory.memory import EpisodicMemory

MAX_EVENT_BYTES = 16 * 1024 * 1024  # a tool's whole output comes with its event; what is larger, the hook clips and spools
MAX_BEFORE = 8  # earlier names of a project
OPENING_WAIT_S = 2.5  # of an event that comes before the memory is open: the hook itself waits for three
logger = logging.getLogger(__name__)


class Audit(Protocol):
    """Where it is noted who called what, and how it went."""

    def record(self, who: str, tool: str, arguments: Any, result: Mapping[str, Any] | None, duration_ms: float) -> None: ...


class MemoryOwner(Protocol):
    """Whoever opens the memory of this process."""

    @property
    def config(self) -> "Config": ...

    @property
    def state(self) -> str:
        """`ready` once the memory is open."""
        ...

    def on_open(self, call: Callable[["EpisodicMemory"], None]) -> None:
        """Call *call* with the memory once it is open."""
        ...

    async def memory(self) -> "EpisodicMemory":
        """Return the open memory; wait for it if need be. Raises McpMemoryError: it cannot be opened."""
        ...


class Door:
    """Answers the hooks' events. Who may ask is settled before: by the folder of the socket, or on `serve`'s port by its guard."""

    def __init__(self, owner: MemoryOwner, log: Audit | None = None) -> None:
        self._owner, self._log = owner, log
        self.folder = wire.folder_of(owner.config.data_dir)
        self._opened = anyio.Event()
        owner.on_open(lambda _: self._opened.set())

    def route(self) -> Route:
        """Return the route the events come by."""
        return Route("/hook/{event}", self._answer, methods=["POST"])

    async def hooks(self) -> "Hooks":
        """Return the hooks on the open memory. Raises StoreUnavailable: it is not open in time.

        A hook does not have it opened: before the handshake is answered, that would take the handshake's time.
        """
        if self._owner.state != "failed":
            with anyio.move_on_after(OPENING_WAIT_S):
                await self._opened.wait()
        if not self._opened.is_set():
            raise StoreUnavailable("the memory is not open yet")
        from mcp_memory.hooks.intake import Hooks  # it loads half of the memory, which is here by now

        return Hooks(await self._owner.memory(), self.folder)

    async def _answer(self, request: Request) -> Response:
        """200 with what the hook prints; 400: it was not understood; 403: no hook sent it; 404, 503: it should be kept."""
        event, call_id = request.path_params["event"], request.headers.get(wire.CALL_HEADER)
        if event == wire.PING:
            return PlainTextResponse("")
        if not call_id or not request.headers.get("content-type", "").startswith("application/json"):
            # Any page of a browser may post a text to a port of this machine; these it may not send without being allowed to.
            return PlainTextResponse(f"An event needs the header {wire.CALL_HEADER} and the type application/json.\n", 403)
        if event not in EVENTS:
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
        except Exception:  # the hook keeps it, and what cannot be handled later either is set aside
            logger.exception("the %s hook failed", event)
            return PlainTextResponse("internal error; the server's log has the details", 503)
        if await request.is_disconnected():
            self._answered_too_late(record["session"], text)
        if self._log is not None:
            took_ms = (time.perf_counter() - started) * 1000
            self._log.record(_who(request, record), f"hook/{event}", {"episode_id": episode_id}, {"isError": False}, took_ms)
        host = request.headers.get(wire.HOST_HEADER, "")
        output = answers.shown(event, events.name_of(event, told, host), text)
        return Response(output, media_type="application/json", background=self._after(event, hooks, record["session"]))

    def _answered_too_late(self, session_id: str, text: str) -> None:
        """Keep what a hook would have told that has given up (its event counts once): the session's next one tells it."""
        signs.note_answer(self.folder)
        if text:
            spool.owe(self.folder, session_id, text)

    def _after(self, event: str, hooks: "Hooks", session_id: str) -> BackgroundTask | None:
        """Return what the agent need not wait for: a prompt ends the turn before it, a session's start those that are dead."""
        if event in PROMPTS:
            return BackgroundTask(_guarded, hooks.finish, session_id)
        return BackgroundTask(_guarded, hooks.settle_dead, session_id) if event == "session-start" else None

    def _record(self, event: str, told: dict[str, Any], request: Request) -> dict[str, Any]:
        headers = request.headers
        record = events.record_of(
            event,
            told,
            call_id=headers.get(wire.CALL_HEADER) or str(uuid4()),
            project=request.query_params.get("project", ""),
            before=request.query_params.getlist("before")[:MAX_BEFORE],
            is_here=not request.client,
            at_ms=time.time_ns() // 1_000_000,
            host=headers.get(wire.HOST_HEADER, ""),
            process="" if request.client else headers.get(wire.PROCESS_HEADER, ""),  # of this machine only
        )
        if not self._owner.config.server.redact:
            return record
        from mcp_memory.hooks.spooling import redacted  # its many patterns: a server loads them after the handshake

        return redacted(record)  # the ledger keeps prompts and answers; the memory itself redacts again


async def _body(request: Request) -> bytes:
    """Return the body. Raises ValueError: it is larger than an event should be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_EVENT_BYTES:
            raise ValueError(f"an event of more than {MAX_EVENT_BYTES:,} bytes")
    return bytes(body)


def _who(request: Request, record: Mapping[str, Any]) -> str:
    """Return who sent an event: the token's holder where there is one, and whose hook it says it is."""
    user = request.scope.get("user")
    access = getattr(user, "access_token", None)
    holder = getattr(access, "subject", None) or (user.display_name if user is not None else "")
    sender = holder or ("http" if request.client else "")  # nobody: a hook of this machine, by the door of its own
    return f"{sender}, {record['host']} hook" if sender else f"{record['host']} hook"


async def _guarded(finish: Callable[[str], Awaitable[None]], session_id: str) -> None:
    try:
        await finish(session_id)
    except (McpMemoryError, OSError) as error:  # it stays in the ledger, and the next look completes it
        logger.warning("a turn of session %s is completed later: %s", session_id, error)
    except Exception:
        logger.exception("a turn of session %s could not be completed", session_id)
