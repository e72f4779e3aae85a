"""The audit log: who called which tool on which records, and how it went. Never what was in them.

One JSON object a line: `at`, `who`, `tool` (or `resources/read`, `prompts/get`), `ids`, `outcome` (`ok`, `cancelled`, `refused` or an
error's code), `duration_ms`.
"""

import json
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from mcp_memory import private
from mcp_memory.domain.callers import Caller
from mcp_memory.errors import ConfigError
from mcp_memory.rendering.on_one_line import one_line
from mcp_memory.user_data import expanded

MAX_BYTES = 10 * 1024 * 1024
BACKUPS = 5
_ID_FIELDS = ("episode_id", "episode_ids", "parent_id", "pattern_id", "recommendation_id", "used_ids", "checkpoint_id", "from_id", "to_id")
_ID = re.compile(r"[\w.:/-]{1,80}")
_NO_ID = "(not an id)"
REFUSED: Mapping[str, Any] = {"isError": True, "content": [{"text": "refused"}]}
_MAX_IDS = 20
_MAX_WHO_CHARS = 120
_ON_STDIO = Caller("stdio", "stdio stdio")
Context = ServerRequestContext[Any, Any]
Handler = Callable[[Context, Any], Awaitable[dict[str, Any]]]
logger = logging.getLogger(__name__)


class AuditLog:
    """Appends lines to a file that rotates by size. Several processes may share it; a line that cannot be written never fails a call.

    The file is opened for each line (some 30 µs), so that it can be moved away at any time and no process writes on into a rotated one.
    """

    def __init__(self, path: str) -> None:
        """Raises ConfigError: the file cannot be created or written."""
        self._path = Path(expanded(path))
        self._broken = False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            private.tighten(self._path)
            self._append(b"")
        except OSError as error:
            raise ConfigError(f"the audit log {self._path} cannot be written: {error}", hint="Change server.audit_log.") from error

    def record(self, who: str, tool: str, arguments: Any, result: Mapping[str, Any] | None, duration_ms: float) -> None:
        """Append one call; *result* is None for one that was cancelled."""
        ids = _ids(arguments) + _ids((result or {}).get("structuredContent"))
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": one_line(who)[:_MAX_WHO_CHARS],
            "tool": tool,
            "ids": list(dict.fromkeys(ids))[:_MAX_IDS],
            "outcome": _outcome(result),
            "duration_ms": round(duration_ms, 1),
        }
        try:
            line = json.dumps(entry, ensure_ascii=True).encode() + b"\n"
            self._rotate(len(line))
            self._append(line)
            self._broken = False
        except OSError as error:
            if not self._broken:  # once until it works again: the disk may be full for hours
                logger.error("the audit log %s cannot be written: %s", self._path, error)
            self._broken = True

    def _append(self, line: bytes) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        try:
            if line:
                os.write(file, line)  # one write with O_APPEND: lines of several processes do not mix
        finally:
            os.close(file)

    def _rotate(self, more_bytes: int) -> None:
        """Move a full file away under the time as its name, so that two processes that do it at once lose nothing; drop the oldest."""
        try:
            if self._path.stat().st_size + more_bytes <= MAX_BYTES:
                return
        except FileNotFoundError:
            return
        moved = self._path.with_name(f"{self._path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}.{os.getpid()}")
        try:
            self._path.rename(moved)
        except FileNotFoundError:
            return  # another process was faster
        backups = sorted(self._path.parent.glob(f"{self._path.name}.2*"))
        for old in backups[:-BACKUPS]:
            old.unlink(missing_ok=True)


class Refusals:
    """Refused logins in the audit log, one a second with the number of the others: a siege must not push what was done out of it."""

    def __init__(self, log: AuditLog | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock = log, clock
        self._last, self._kept_back = float("-inf"), 0

    def record(self, client: str, duration_ms: float) -> None:
        """Note that a request of *client*, an address, had no good token."""
        if self._log is None:
            return
        if self._clock() - self._last < 1.0:
            self._kept_back += 1
            return
        more = f", and {self._kept_back} more since the last line" if self._kept_back else ""
        self._last, self._kept_back = self._clock(), 0
        self._log.record(f"unknown, from {client}{more}", "login", {}, REFUSED, duration_ms)


BOUND = "mcp-memory/projects"  # a claim that we make ourselves; of a JWT nothing is taken over under that name


def holder_of(scope: Mapping[str, Any]) -> str:
    """Return the holder of a request's token; empty where none is asked for."""
    user = scope.get("user")
    return "" if user is None else str(user.access_token.subject or user.display_name)


def who(ctx: Context) -> str:
    """Return who is asking: the token's holder, or the transport."""
    if ctx.request is None:
        return "stdio"
    return holder_of(ctx.request.scope) or "http"


def caller_of(ctx: Context) -> Caller:
    """Return who is asking, on which connection, and what they are bound to."""
    if ctx.request is None:
        return _ON_STDIO
    return Caller(who(ctx), f"{who(ctx)} {connection_of(ctx)}", bound_of(ctx.request.scope))


def bound_of(scope: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the projects that a request's token is bound to; none where it may see all."""
    user = scope.get("user")
    return () if user is None else tuple((user.access_token.claims or {}).get(BOUND, ()))


def connection_of(ctx: Context) -> str:
    """Return what tells this connection from others: the session of HTTP and SSE; stdio has but one."""
    if ctx.request is None:
        return "stdio"
    session: str = ctx.request.headers.get("mcp-session-id") or ctx.request.query_params.get("session_id") or ""
    return session


def audited(log: AuditLog | None, method: str, handler: Handler, ids_of: Callable[[Any], Mapping[str, Any]]) -> Handler:
    """Return *handler* so that each request is recorded; the handler itself without a log.

    Args:
        log: Where to.
        method: What is recorded as the tool.
        handler: A request handler that reads memories: of a resource or a prompt.
        ids_of: Returns the ids that the request's parameters name, by field.
    """
    if log is None:
        return handler

    async def run(ctx: Context, params: Any) -> dict[str, Any]:
        started, result = time.perf_counter(), None
        try:
            result = await handler(ctx, params)
            return result
        except MCPError:
            result = dict(REFUSED)
            raise
        finally:
            log.record(who(ctx), method, ids_of(params), result, (time.perf_counter() - started) * 1000)

    return run


def ids_of_resource(params: Any) -> Mapping[str, Any]:
    """Return the id in a resource's address."""
    kind, _, name = str(params.uri).removeprefix("memory://").partition("/")
    return {f"{kind}_id": name} if kind in ("episode", "pattern") else {}


def ids_of_prompt(params: Any) -> Mapping[str, Any]:
    """Return the id among a prompt's arguments."""
    return {"episode_id": (params.arguments or {}).get("episode_id")}


def _ids(values: Any) -> list[str]:
    if not isinstance(values, Mapping):
        return []
    found = [values.get(name) for name in _ID_FIELDS]
    flat = [item for value in found for item in (value if isinstance(value, list) else [value])[:_MAX_IDS]]
    return [_plain(item) for item in flat if isinstance(item, str)]


def _plain(value: str) -> str:
    """Return an id as it is; anything else that was sent in its place is content and stays out."""
    from mcp_memory.redaction import redact  # its many patterns: a server loads them after the handshake

    return value if _ID.fullmatch(value) and not redact(value)[1] else _NO_ID


def _outcome(result: Mapping[str, Any] | None) -> str:
    if result is None:
        return "cancelled"
    if not result.get("isError"):
        return "ok"
    text = str(result["content"][0]["text"])
    return text.partition(":")[0]  # the error's code, not its message: that may quote what was sent
