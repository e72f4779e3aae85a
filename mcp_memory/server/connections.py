"""Connections under siege: who has not shown a token gets little time and a small share, whoever is known keeps theirs.

uvicorn alone counts every open connection alike and waits for ever for a request line, so 500 silent ones shut everybody out.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from contextlib import suppress
from typing import Any

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

UNKNOWN_SHARE = 0.2  # of all connections may be of clients that have shown no token yet
HEADERS_S = 10.0  # from the first byte (or the connection) to the end of a request's headers
UNKNOWN_S = 20.0  # from the connection to the first request with a good token
RESERVED_DESCRIPTORS = 96  # for files, and connections accepted but not counted yet
BACKLOG = 64  # connections the event loop accepts in one go
_KNOWN = "mcp_memory.known"  # what the guard calls once a request is let in


class Connections:
    """All connections of one server."""

    def __init__(self, max_connections: int, *, headers_s: float = HEADERS_S, unknown_s: float = UNKNOWN_S) -> None:
        self.headers_s, self.unknown_s = headers_s, unknown_s
        self._max_unknown = max(1, int(max_connections * UNKNOWN_SHARE))
        self._max_known = max(1, max_connections - self._max_unknown)
        self._unknown: OrderedDict[Connection, None] = OrderedDict()  # the oldest first
        self._max_held = max(1, self._max_known // 2)  # of one token's holder
        self._known: dict[Connection, str] = {}  # with whose they are
        self._held: Counter[str] = Counter()

    def opened(self, connection: "Connection") -> None:
        """Take a new connection in; the one that has stayed unknown longest goes when there are too many."""
        self._unknown[connection] = None
        if len(self._unknown) > self._max_unknown:
            oldest, _ = self._unknown.popitem(last=False)
            oldest.abort()

    def closed(self, connection: "Connection") -> None:
        """Forget a connection."""
        self._unknown.pop(connection, None)
        if (holder := self._known.pop(connection, None)) is not None:
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]

    def became_known(self, connection: "Connection", holder: str) -> bool:
        """Move a connection to those of clients we know; False where all of them, or this holder's, have the room they may have."""
        if connection in self._known:
            return True
        if len(self._known) >= self._max_known or (holder and self._held[holder] >= self._max_held):
            return False
        if connection in self._unknown:
            del self._unknown[connection]
            self._known[connection] = holder
            self._held[holder] += 1
        return True

    def protocol(self, **settings: Any) -> "Connection":
        """Return a connection for uvicorn's `http` setting."""
        return Connection(self, **settings)


class Connection(H11Protocol):
    """uvicorn's own, with time-outs before a request is complete and before its client is known."""

    def __init__(self, book: Connections, *, app_state: dict[str, Any], **settings: Any) -> None:
        super().__init__(app_state=app_state | {_KNOWN: self._became_known}, **settings)
        self._book = book
        self._deadline: asyncio.TimerHandle | None = None
        self._too_long: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._book.opened(self)
        self._deadline = self.loop.call_later(self._book.headers_s, self.abort)
        self._too_long = self.loop.call_later(self._book.unknown_s, self.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._book.closed(self)
        self._stop("_deadline")
        self._stop("_too_long")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop("_deadline")
        elif self._deadline is None:  # the beginning of another request
            self._deadline = self.loop.call_later(self._book.headers_s, self.abort)

    def abort(self) -> None:
        """Close without a word, and without waiting for what the client does not read."""
        if self.transport is not None:
            self.transport.abort()

    def _became_known(self, holder: str) -> bool:
        known = self._book.became_known(self, holder)
        if known:
            self._stop("_too_long")
        return known

    def _stop(self, name: str) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)


def became_known(scope: Scope, holder: str) -> bool:
    """Say whose a request is (empty: no token is asked for); False where there is no room for another connection of theirs."""
    tell = scope.get("state", {}).get(_KNOWN)
    return tell is None or bool(tell(holder))


def affordable(max_connections: int) -> int:
    """Return how many connections the process may have descriptors for; raises its own soft limit first, where there is one."""
    try:
        import resource
    except ImportError:  # Windows
        return max_connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max_connections + RESERVED_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):  # the kernel has a bound of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
            soft = raised
    found = max_connections if soft == resource.RLIM_INFINITY else max(1, min(max_connections, soft - RESERVED_DESCRIPTORS))
    if found < max_connections:
        logging.getLogger(__name__).warning(
            "the process may open %d files: %d connections at most instead of server.max_connections=%d", soft, found, max_connections
        )
    return found


class OncePerSecond(logging.Filter):
    """Lets one warning of a kind pass a second, with the number of those it kept back: a siege must not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is written."""
        if record.levelno < logging.WARNING:
            return True
        now, kind = time.monotonic(), str(record.msg)[:200]
        last, kept_back = self._last.get(kind, (0.0, 0))
        if now - last < 1.0:
            self._last[kind] = (last, kept_back + 1)
            return False
        if len(self._last) > 100:
            self._last.clear()
        self._last[kind] = (now, 0)
        if kept_back:
            record.msg = f"{record.msg} (and {kept_back} more like it)"
        return True


BESIEGED = ("asyncio", "uvicorn.error", "mcp_memory.server.guard", "mcp.server.sse", "mcp.server.streamable_http_manager")  # loggers


def quieten() -> None:
    """Bound what the loggers of the network edge write."""
    once = OncePerSecond()
    for name in BESIEGED:
        logging.getLogger(name).addFilter(once)
