"""The guard in front of every HTTP route: Host and Origin, then the token, then how many streams may be open."""

import ipaddress
import logging
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from mcp_memory.config import ServerConfig
from mcp_memory.errors import ProviderUnavailable
from mcp_memory.rendering.neutralise import one_line
from mcp_memory.server.auth import Authentication
from mcp_memory.server.binding import is_loopback
from mcp_memory.server.connections import became_known

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_OPEN_PATHS = ("/healthz",)  # says nothing but that the server is there
_STREAM_SHARE = 0.8  # of all connections may be long-lived streams, so that ordinary requests still get through
logger = logging.getLogger(__name__)


class Guard:
    """ASGI middleware. A refused request gets one line and is logged with its reason."""

    def __init__(
        self, app: ASGIApp, config: ServerConfig, authentication: Authentication, admits: Sequence[Callable[[Scope], bool]] = ()
    ) -> None:
        """*admits* tell of a request whether it needs no token, since it carries another proof; one that says so is enough."""
        self._app, self._authentication, self._admits = app, authentication, admits
        public_host = urlsplit(config.public_url).hostname or ""
        self._hosts = {name.lower() for name in (*_LOCAL_NAMES, config.host, *_listed(config.allowed_hosts), public_host) if name}
        self._open_paths = {*_OPEN_PATHS, *authentication.documents()}
        self._origins = {origin.lower().rstrip("/") for origin in _listed(config.allowed_origins)}
        self._takes_addresses = not is_loopback(config.host)
        self._max_streams = max(1, int(config.max_connections * _STREAM_SHARE))
        self._streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._foreign(headers) or await self._unknown(scope, headers)
        if refusal is not None:
            client = (scope.get("client") or ("?",))[0]
            logger.warning(
                "refused %s %s from %s: %d %s", scope["method"], one_line(scope["path"]), client, refusal.status_code, _line(refusal)
            )
            await refusal(scope, receive, send)
        elif scope["path"] not in self._open_paths and not became_known(scope):
            await _busy("Too many connections; try again later.\n")(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] in ("/sse", "/mcp"):
            await self._stream(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._streams >= self._max_streams:
            await _busy("Too many open streams; try again later.\n")(scope, receive, send)
            return
        self._streams += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._streams -= 1

    def _foreign(self, headers: Headers) -> PlainTextResponse | None:
        """Return the answer that refuses another site's request, or None."""
        if not self._host_is_ours(headers.get("host", "")):
            return PlainTextResponse("Host is not allowed; see the setting server.allowed_hosts.\n", 421)
        if not self._origin_is_ours(headers.get("origin")):
            return PlainTextResponse("Origin is not allowed; see the setting server.allowed_origins.\n", 403)
        return None

    async def _unknown(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        """Return the answer that refuses a request without a good token, or None. A known token's holder becomes the request's user."""
        if not self._authentication.required or scope["path"] in self._open_paths or any(admits(scope) for admits in self._admits):
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return self._denied(401, "A bearer token is needed.")
        try:
            access = await self._authentication.verify_token(token.strip())
        except ProviderUnavailable as error:
            return PlainTextResponse(f"{error.line()}\n", 503, {"Retry-After": "5"})
        if access is None:
            return self._denied(401, "The bearer token is not known.", "invalid_token")
        if missing := self._authentication.missing_scopes(access):
            return self._denied(403, f"The bearer token lacks the scope {' '.join(missing)}.", "insufficient_scope")
        # Sessions are bound to this user: nobody can go on with another one's.
        scope["user"] = AuthenticatedUser(access)
        return None

    def _denied(self, status: int, reason: str, error: str = "") -> PlainTextResponse:
        challenge = self._authentication.challenge(error, reason if error else "")
        return PlainTextResponse(f"{reason}\n", status, {"WWW-Authenticate": challenge})

    def _host_is_ours(self, host: str) -> bool:
        name = _without_port(host.lower())
        if "*" in self._hosts or name in self._hosts:
            return bool(name)
        # DNS rebinding needs a name; a bare address cannot be rebound. Only where we listen on the network, and there a token is needed.
        return self._takes_addresses and _is_address(name)

    def _origin_is_ours(self, origin: str | None) -> bool:
        if origin is None:
            return True
        origin = origin.lower()
        if origin in self._origins or "*" in self._origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and _without_port(parts.netloc) in self._hosts


def _busy(reason: str) -> PlainTextResponse:
    return PlainTextResponse(reason, 503, {"Retry-After": "10"})


def _line(response: PlainTextResponse) -> str:
    return bytes(response.body).decode().strip()


def _listed(setting: str) -> Iterable[str]:
    return [item.strip() for item in setting.split(",") if item.strip()]


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
