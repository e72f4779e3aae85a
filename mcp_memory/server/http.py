"""One HTTP port for every client: `/mcp` (Streamable HTTP), `/sse` with `/messages/` (the older transport), `/healthz`, `/readyz`,
`/metrics`, and the parts that stand beside MCP (`parts.py`).

Both protocol eras, one memory, one guard in front of all routes.
"""

import gc
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import anyio
import uvicorn
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from mcp_memory.config import Config, ServerConfig
from mcp_memory.metrics import Metrics
from mcp_memory.pages.calls import Look
from mcp_memory.server.app import App, build_server, program_version
from mcp_memory.server.auth import Authentication
from mcp_memory.server.binding import require_safe_bind
from mcp_memory.server.connections import BACKLOG, Connections, affordable, quieten
from mcp_memory.server.guard import Guard
from mcp_memory.server.lifecycle import MemoryHost, Opener
from mcp_memory.server.parts import HttpPart, parts_of
from mcp_memory.server.sessions import MAX_SESSIONS, Sessions
from mcp_memory.server.sse_connection import SseEndpoint

SHUTDOWN_S = 3  # for requests in flight, after a signal
logger = logging.getLogger(__name__)


def serve(config: Config, opener: Opener | None = None, started: Callable[[int], None] | None = None, look: Look | None = None) -> int:
    """Serve HTTP until a signal comes; return the exit status. *started* is called with the port once it listens.

    *look* finds the sessions of agent hosts on this machine that were not imported, for the pages.

    Raises:
        ConfigError: The address is not a loopback one and there is no token.
    """
    authentication = Authentication(config.server)
    require_safe_bind(config.server, authenticated=authentication.required)
    host = MemoryHost(config, opener)
    app = build_server(host, "full" if config.server.tools == "auto" else config.server.tools, is_shared=True)
    connections, parts = Connections(affordable(config.server.max_connections)), parts_of(host, app.audit_log, look)
    quieten()
    settings = uvicorn.Config(
        http_app(app, host, authentication, parts),
        host=config.server.host,
        port=config.server.port,
        http=connections.protocol,  # type: ignore[arg-type]  # any maker of protocols will do
        backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_S,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(config.server.trusted_proxies),
        forwarded_allow_ips=config.server.trusted_proxies,
        ws="none",
        lifespan="on",
    )
    gc.freeze()

    def listening(port: int) -> None:
        for part in parts:
            part.listening(url_of(config.server, port))
        if started is not None:
            started(port)

    server = _HttpServer(settings, app.updates.listen.close, listening)
    server.run()
    return 0 if server.started else 1


def url_of(server: ServerConfig, port: int) -> str:
    """Return where people of this machine, or behind the configured address, reach the server."""
    if server.public_url:
        return server.public_url.rstrip("/")
    name = "127.0.0.1" if server.host in ("", "0.0.0.0", "::") else server.host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


async def _run_beside(part: HttpPart) -> None:
    """Run what a part does beside its requests; its failure is logged, and ends nothing else."""
    try:
        await part.run()
    except Exception:
        logger.exception("%s stopped what it does beside its requests", type(part).__name__)


def http_app(app: App, host: MemoryHost, authentication: Authentication, parts: Sequence[HttpPart] = ()) -> Starlette:
    """Return the ASGI application: MCP and *parts*. Its lifespan opens and closes the memory."""
    limits = host.config.server
    manager = StreamableHTTPSessionManager(app.server, max_request_body_size=limits.max_body_bytes, max_sessions=MAX_SESSIONS)
    sse = SseEndpoint(app.server, SseServerTransport("/messages/", max_request_body_size=limits.max_body_bytes))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as group:
            group.start_soon(host.keep_open)
            group.start_soon(app.updates.run)
            for part in parts:
                group.start_soon(_run_beside, part)
            host.begin()
            async with manager.run():
                yield
            await host.aclose()
            group.cancel_scope.cancel()

    async def health(request: Request) -> Response:
        state = host.state
        return JSONResponse({"status": state, "version": program_version()}, 503 if state == "failed" else 200)

    async def ready(request: Request) -> Response:
        host.begin()  # so that a server whose memory could not be opened tries again
        return JSONResponse({"status": host.state, "version": program_version()}, 200 if host.state == "ready" else 503)

    async def metrics(request: Request) -> Response:
        from mcp_memory.server import exposition  # whoever never asks does not load the library

        found = (await host.memory()).metrics if host.state == "ready" else Metrics()  # whoever watches is not to wait for it
        page = await anyio.to_thread.run_sync(exposition.page, found, program_version(), host.state == "ready")
        return Response(page, media_type=exposition.CONTENT_TYPE)

    served = Starlette(
        routes=[
            Route("/mcp", Sessions(StreamableHTTPASGIApp(manager), limits.max_body_bytes)),
            Route("/sse", sse, methods=["GET"]),
            Mount("/messages/", sse.post),
            *(route for part in parts for route in part.routes),
            Route("/healthz", health),
            Route("/readyz", ready),
            Route("/metrics", metrics),
            *(Route(path, _document(body), methods=["GET"]) for path, body in authentication.documents().items()),
        ],
        middleware=[
            Middleware(
                Guard,
                config=limits,
                authentication=authentication,
                admits=[part.admits for part in parts],
                opens=[part.is_open for part in parts],
                log=app.audit_log,
            )
        ],
        lifespan=lifespan,
    )
    served.router.redirect_slashes = False  # a redirect would name http behind a proxy that ends TLS
    return served


def _document(body: Mapping[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return JSONResponse(body, headers={"Cache-Control": "max-age=3600", "Access-Control-Allow-Origin": "*"})

    return answer


class _HttpServer(uvicorn.Server):
    """Ends open listen streams first: a client holds one for hours, and shutting down would wait for it."""

    def __init__(self, settings: uvicorn.Config, close_streams: Callable[[], None], started: Callable[[int], None]) -> None:
        super().__init__(settings)
        self._close_streams, self._when_started = close_streams, started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._when_started(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._close_streams()
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
