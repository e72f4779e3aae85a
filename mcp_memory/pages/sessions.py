"""Who is in: a cookie's session, with the word every change must carry and what the person is to be told next."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from starlette.types import Scope

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.query import ANY_PROJECT

COOKIE = "mcp_memory_ui"  # with the port: browsers share cookies between the ports of a host
SESSION_S = 12 * 3600
MAX_SESSIONS = 64


@dataclass(frozen=True, slots=True)
class Undo:
    """A form that takes back what was just done."""

    action: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Notice:
    """What a person is told once, on the next page."""

    text: str
    undo: Undo | None = None


@dataclass(slots=True)
class Session:
    """One person in one browser."""

    until_s: float
    project: str  # whose episodes are shown; "*" all
    folder: Path | None = None  # of the repository they work in
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    notice: Notice | None = None

    def told(self) -> Notice | None:
        """Return what is to be said, once."""
        notice, self.notice = self.notice, None
        return notice

    def owns(self, csrf: str) -> bool:
        """Return whether a form is one that this session was given."""
        return hmac.compare_digest(csrf.encode("utf-8", "replace"), self.csrf.encode())


class Sessions:
    """The sessions of one process; a restart ends them. Kept by the digest of what the cookie holds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._sessions: BoundedMap[bytes, Session] = BoundedMap(MAX_SESSIONS)

    def begin(self, scope: Scope, project: str, folder: Path | None) -> str:
        """Open a session and return the Set-Cookie header's value."""
        value = secrets.token_urlsafe(32)
        self._sessions.put(_digest(value), Session(self._clock() + SESSION_S, project or ANY_PROJECT, folder))
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        return f"{_name(scope)}={value}; Path=/ui; Max-Age={SESSION_S}; HttpOnly; SameSite=Strict{secure}"

    def of(self, scope: Scope) -> Session | None:
        """Return the session that a request's cookie names, None without a good one."""
        value = _cookie(scope)
        session = self._sessions.get(_digest(value)) if value else None
        return session if session is not None and session.until_s > self._clock() else None


def _name(scope: Scope) -> str:
    server = scope.get("server")
    return f"{COOKIE}_{server[1] if server else 0}"


def _cookie(scope: Scope) -> str:
    for name, value in scope.get("headers", ()):
        if name == b"cookie":
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(_name(scope))
            except CookieError:
                return ""
            return morsel.value if morsel is not None else ""
    return ""


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()
