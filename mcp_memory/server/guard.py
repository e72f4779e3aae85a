"""The guard in front of every HTTP route: Host and Origin, then the token, then how much of the server its holder may have."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_memory.config import ServerConfig
from mcp_memory.domain.addresses import is_loopback
from mcp_memory.errors import ProviderUnavailable
from mcp_memory.rendering.on_one_line import one_line
from mcp_memory.server.auditing import AuditLog, Refusals, bound_of, holder_of
from mcp_memory.server.auth import Authentication
from mcp_memory.server.connections import became_known
from mcp_memory.server.origins import CORS_EXPOSED, CORS_HEADERS, CORS_METHODS, is_address, listed, name_of_host, name_of_origin
from mcp_memory.server.rechecking import EVERY_S, Rechecking

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OPEN_PATHS = ("/healthz", "/readyz")  # say nothing but that the server is there, and whether its memory is open
_FOR_BOUND = ("/mcp", "/sse", "/messages/")  # what a token for some projects opens: metrics, hooks and pages tell of all
_WITH_SLASH = {"/mcp/": "/mcp", "/sse/": "/sse"}  # served as they are: a redirect would name http behind a proxy that ends TLS
_STREAM_SHARE = 0.8  # of all connections may be long-lived streams, so that ordinary requests still get through
_HOLDER_SHARE = 0.5  # of those may be one token's
logger = logging.getLogger(__name__)


class Guard:
    """ASGI middleware. A refused request gets one line and is logged with its reason."""

    def __init__(
        self,
        app: ASGIApp,
        config: ServerConfig,
        authentication: Authentication,
        admits: Sequence[Callable[[Scope], bool]] = (),
        opens: Sequence[Callable[[Scope], bool]] = (),
        log: AuditLog | None = None,
        recheck_s: float = EVERY_S,
    ) -> None:
        """*admits* tell of a request whether it needs no token, since it carries another proof; one that says so is enough.

        *opens* tell of one whether its answer tells nothing, so that no proof is needed; its connection stays among the unknown.
        """
        self._app, self._authentication, self._admits, self._opens = app, authentication, admits, opens
        self._rechecking, self._refusals = Rechecking(authentication.verify_token, recheck_s), Refusals(log)
        public_host = urlsplit(config.public_url).hostname or ""
        self._hosts = {name.lower() for name in (*_LOCAL_NAMES, config.host, *listed(config.allowed_hosts), public_host) if name}
        self._open_paths = {*_OPEN_PATHS, *authentication.documents()}
        self._origins = {origin.lower().rstrip("/") for origin in listed(config.allowed_origins)}
        self._cors = CORSMiddleware(
            self._let_in,
            allow_origins=sorted(self._origins),
            allow_methods=CORS_METHODS,
            allow_headers=CORS_HEADERS,
            expose_headers=CORS_EXPOSED,
        )
        self._takes_addresses = not is_loopback(config.host)
        self._max_streams = max(1, int(config.max_connections * _STREAM_SHARE))
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope["path"] = _WITH_SLASH.get(scope["path"], scope["path"])
        refusal = self._foreign(headers)
        if refusal is not None:
            await self._refuse(refusal, scope, receive, send)
        elif headers.get("origin") is not None and self._is_listed(headers["origin"]):
            await self._cors(scope, receive, send)  # answers a preflight itself: that one carries no token
        else:
            await self._let_in(scope, receive, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        refusal = await self._unknown(scope, Headers(scope=scope))
        if refusal is not None:
            if refusal.status_code in (401, 403):
                self._refusals.record(_client(scope), (time.perf_counter() - started) * 1000)
            await self._refuse(refusal, scope, receive, send)
        elif self._is_known(scope) and not became_known(scope, holder_of(scope)):
            await _busy("Too many connections; try again later.\n")(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] in ("/sse", "/mcp"):
            await self._stream(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _refuse(self, refusal: PlainTextResponse, scope: Scope, receive: Receive, send: Send) -> None:
        path, reason = one_line(scope["path"]), bytes(refusal.body).decode().strip()
        logger.warning("refused %s %s from %s: %d %s", scope["method"], path, _client(scope), refusal.status_code, reason)
        await refusal(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        holder = holder_of(scope)
        share = max(1, int(self._max_streams * _HOLDER_SHARE)) if holder else self._max_streams
        if self._streams.total() >= self._max_streams or self._streams[holder] >= share:
            await _busy("Too many open streams; try again later.\n")(scope, receive, send)
            return
        self._streams[holder] += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._streams[holder] -= 1
            self._streams += Counter()  # drops those that have none left

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "user" in scope:
            await self._rechecking.run(self._app, _token(Headers(scope=scope)), scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _foreign(self, headers: Headers) -> PlainTextResponse | None:
        """Return the answer that refuses another site's request, or None."""
        if not self._host_is_ours(headers.get("host", "")):
            return PlainTextResponse("Host is not allowed; see the setting server.allowed_hosts.\n", 421)
        if not self._origin_is_ours(headers.get("origin")):
            return PlainTextResponse("Origin is not allowed; see the setting server.allowed_origins.\n", 403)
        return None

    async def _unknown(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """Return the answer that refuses a request without a good token, or None. A known token's holder becomes the request's user."""
        if not self._authentication.required or self._is_open(scope) or self._is_admitted(scope):
            return None
        token = _token(headers)
        if not token:
            return self._denied(401, "A bearer token is needed.")
        try:
            access = await self._authentication.verify_token(token)
        except ProviderUnavailable as error:
            return PlainTextResponse(f"{error.line()}\n", 503, {"Retry-After": "5"})
        if access is None:
            return self._denied(401, "The bearer token is not known.", "invalid_token")
        if missing := self._authentication.missing_scopes(access):
            return self._denied(403, f"The bearer token lacks the scope {' '.join(missing)}.", "insufficient_scope")
        # Sessions are bound to this user: nobody can go on with another one's.
        scope["user"] = AuthenticatedUser(access)
        if bound_of(scope) and not scope["path"].startswith(_FOR_BOUND):
            return self._denied(403, "This token is for some projects: /mcp and /sse only.")
        return None

    def _is_open(self, scope: Scope) -> bool:
        return scope["path"] in self._open_paths or any(opens(scope) for opens in self._opens)

    def _is_admitted(self, scope: Scope) -> bool:
        return any(admits(scope) for admits in self._admits)

    def _is_known(self, scope: Scope) -> bool:
        """Return whether a request that was let in shows who sent it."""
        return not self._is_open(scope) or self._is_admitted(scope)

    def _denied(self, status: int, reason: str, error: str = "") -> PlainTextResponse:
        challenge = self._authentication.challenge(error, reason if error else "")
        return PlainTextResponse(f"{reason}\n", status, {"WWW-Authenticate": challenge})

    def _host_is_ours(self, host: str) -> bool:
        name = name_of_host(host)
        if "*" in self._hosts or name in self._hosts:
            return bool(name)
        # DNS rebinding needs a name; a bare address cannot be rebound. Only where we listen on the network, and there a token is needed.
        return self._takes_addresses and is_address(name)

    def _is_listed(self, origin: str) -> bool:
        return origin.lower() in self._origins or "*" in self._origins

    def _origin_is_ours(self, origin: str | None) -> bool:
        return origin is None or self._is_listed(origin) or name_of_origin(origin) in self._hosts


def _busy(reason: str) -> PlainTextResponse:
    return PlainTextResponse(reason, 503, {"Retry-After": "10"})


def _client(scope: Scope) -> str:
    return str((scope.get("client") or ("?",))[0])


def _token(headers: Headers) -> str:
    """Return the bearer token of a request; empty without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
