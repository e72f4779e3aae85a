"""The pages as one part of the HTTP server: who is let in, what a change must carry, what every answer says to the browser."""

import logging
import mimetypes
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Scope

from mcp_memory.domain.callers import Caller
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.errors import InvalidInput, McpMemoryError, NotFound
from mcp_memory.pages import entering
from mcp_memory.pages.calls import Answer, Call, Download, GoTo, Handler, HookLook, Look, NotKept, Page, Refused, form_of
from mcp_memory.pages.kept import Kept
from mcp_memory.pages.sessions import Session, Sessions
from mcp_memory.pages.table import CHANGES, READS
from mcp_memory.pages.templating import STATIC, rendered

if TYPE_CHECKING:
    from mcp_memory.config import Config
    from mcp_memory.memory import EpisodicMemory

CSRF = "csrf"  # the field of every form that changes something
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
logger = logging.getLogger(__name__)


class MemoryOwner(Protocol):
    """Whoever opens the memory of this process."""

    @property
    def config(self) -> "Config": ...

    async def memory(self) -> "EpisodicMemory":
        """Return the open memory; wait for it if need be. Raises McpMemoryError: it cannot be opened."""
        ...


class Audit(Protocol):
    """Where it is noted who changed what, and how it went."""

    def record(self, who: str, tool: str, arguments: Any, result: Mapping[str, Any] | None, duration_ms: float) -> None: ...


class PagesPart:
    """Serves `/ui`. A request without a session is answered, too, but only with how to get in."""

    def __init__(self, owner: MemoryOwner, log: Audit | None = None, look: Look | None = None, hooks: HookLook | None = None) -> None:
        """*look* finds the sessions of agent hosts on this machine, *hooks* what their hooks left."""
        self._owner, self._log, self._look, self._hooks = owner, log, look, hooks
        self._secret = entering.new_secret()
        self._tickets = entering.Tickets(self._secret)
        self._sessions, self._kept = Sessions(), Kept()

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """All under /ui."""
        return [
            Route(entering.ENTER, self._enter, methods=["GET"]),
            Route("/ui/static/{name:path}", self._static, methods=["GET"]),
            *(Route(path, self._reads(handler), methods=["GET"]) for path, handler in READS.items()),
            *(Route(path, self._changes(handler), methods=["POST"]) for path, handler in CHANGES.items()),
            Route("/ui/{rest:path}", self._nowhere, methods=["GET", "POST"]),
        ]

    def admits(self, scope: Scope) -> bool:
        """Return whether a request has a session of ours."""
        return _is_ours(scope) and self._sessions.of(scope) is not None

    def is_open(self, scope: Scope) -> bool:
        """Return whether a request may be answered without a proof: what it gets says how to come in, and nothing of the memory."""
        return _is_ours(scope)

    def listening(self, url: str) -> None:
        """Leave word where the pages are, for `mcp-memory ui`."""
        try:
            entering.announce(self._owner.config.data_dir, url, self._secret)
        except OSError as error:
            logger.warning("`mcp-memory ui` will not find this server: %s", error)

    async def run(self) -> None:
        """Make kept answers anew, and take the word back at the end."""
        try:
            async with anyio.create_task_group() as self._kept.behind:
                await self._keep_map_ready()
                await anyio.sleep_forever()
        finally:
            self._kept.behind = None
            entering.withdraw(self._owner.config.data_dir)

    async def _keep_map_ready(self) -> None:
        try:
            (await self._owner.memory()).keep_map_ready()
        except McpMemoryError as error:  # the pages say so themselves
            logger.info("the map is drawn when somebody asks for it: %s", error.line())

    async def _enter(self, request: Request) -> Response:
        visitor = self._tickets.take(request.query_params.get("ticket", ""))
        if visitor is None:
            return _locked("This link was used already, or is too old.")
        cookie = self._sessions.begin(
            request.scope, await self._shown_first(visitor.project), Path(visitor.folder) if visitor.folder else None
        )
        return RedirectResponse("/ui", 303, HEADERS | {"Set-Cookie": cookie})

    async def _shown_first(self, project: str) -> str:
        """Return whose attempts a visitor sees first: those of the project they came from, of all projects where it has none."""
        try:
            found = await (await self._owner.memory()).search_episodes(project=project, limit=1) if project else None
        except McpMemoryError:  # the page they come to says so
            return project
        return project if found is None or found.total else ANY_PROJECT

    async def _static(self, request: Request) -> Response:
        path = (STATIC / request.path_params["name"]).resolve()
        if not path.is_relative_to(STATIC) or not path.is_file():
            return _trouble(404, "There is no such file.", "")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return FileResponse(path, headers=HEADERS | {"Cache-Control": "private, max-age=31536000, immutable"}, media_type=kind)

    async def _nowhere(self, request: Request) -> Response:
        session = self._sessions.of(request.scope)
        if session is None:
            return _locked("")
        return _trouble(404, "There is no such page.", "Nothing was changed.", session)

    def _reads(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            session = self._sessions.of(request.scope)
            if session is None:
                return _locked("")
            return await self._answered(request, session, handler, {})

        return answer

    def _changes(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            session, started = self._sessions.of(request.scope), time.perf_counter()
            if session is None:
                return _locked("Nothing was changed.")
            try:
                form = await form_of(request)
            except InvalidInput as error:
                return _failed(error, session)
            if not session.owns(form.pop(CSRF, "")):
                return _trouble(
                    403, "This form is from an earlier visit.", "Nothing was changed. Go back, reload the page and try again.", session
                )
            response = await self._answered(request, session, handler, form)
            self._kept.forget()
            if self._log is not None:
                result = {"isError": response.status_code >= 400, "content": [{"text": "refused"}]}
                self._log.record("ui", request.url.path, {**request.path_params, **form}, result, (time.perf_counter() - started) * 1000)
            return response

        return answer

    async def _answered(self, request: Request, session: Session, handler: Handler, form: Mapping[str, str]) -> Response:
        try:
            memory = await self._owner.memory()
            query, is_part = dict(request.query_params), "hx-request" in request.headers
            where, looks = self._owner.config.data_dir, (self._look, self._hooks)
            call = Call(memory, session, request.path_params, query, form, where, is_part, self._kept, *looks)
            project = "" if session.project == ANY_PROJECT else session.project
            with memory.metrics.timed("page"), memory.working_in(project, Caller("ui", session.csrf)):
                return await _response(await handler(call), call)
        except McpMemoryError as error:
            return _failed(error, session)
        except Exception:
            logger.exception("the page %s failed", request.url.path)
            return _trouble(500, "This page failed.", "The server's log has the details; the other pages go on working.", session)


def _is_ours(scope: Scope) -> bool:
    path: str = scope.get("path", "")
    return path == "/ui" or path.startswith("/ui/")


async def _response(answer: Answer, call: Call) -> Response:
    match answer:
        case Page(template, values):
            common = {"session": call.session, "here": template, "notice": None if call.is_part else call.session.told()}
            common["age_s"] = max(call.ages_s, default=0.0)
            # Beside the event loop: a map is 40 ms of work, and agents' calls wait for that loop.
            text = await anyio.to_thread.run_sync(rendered, template, common | dict(values))
            return HTMLResponse(text, headers=HEADERS)
        case Download(content, file_name):
            kept = HEADERS | {"Content-Disposition": f'attachment; filename="{file_name}"'}
            return Response(content, media_type="application/jsonl", headers=kept)
        case GoTo(path):
            return RedirectResponse(path, 303, HEADERS)


def _failed(error: McpMemoryError, session: Session | None = None) -> Response:
    status = 404 if isinstance(error, NotFound) else 400 if isinstance(error, ValueError) else 503 if error.retryable else 409
    hint = error.hint  # what the memory says to a request or an id is for agents, who call tools
    if not isinstance(error, Refused | NotKept):
        hint = NotKept.default_hint if isinstance(error, NotFound) else Refused.default_hint if isinstance(error, InvalidInput) else hint
    return _trouble(status, error.message, f"{hint} Nothing was changed.", session)


def _locked(why: str) -> Response:
    return HTMLResponse(
        rendered("locked.html", {"why": why, "session": None, "here": "locked.html", "notice": None, "age_s": 0.0}), 401, HEADERS
    )


def _trouble(status: int, what: str, hint: str, session: Session | None = None) -> Response:
    values = {"what": what, "hint": hint, "session": session, "here": "trouble.html", "notice": None, "age_s": 0.0}
    return HTMLResponse(rendered("trouble.html", values), status, HEADERS)
