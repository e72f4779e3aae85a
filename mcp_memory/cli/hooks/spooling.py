"""A hook without a server: the event is kept, redacted, beside the memory, and a process in the background takes it in.

What that process would have told the agent, the session's next hook tells it.
"""

import os
import sys
import time

from mcp_memory.server.hooks import events, spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mcp_memory.cli.hooks.place import Place

DRAIN = "drain"  # the event of a hook of our own: take in what waits
_DRAIN_AFTER = frozenset({"user-prompt-submit", "stop", "session-end"})  # not every step: a process that opens the memory takes a second


def keep(event: str, raw: bytes, call_id: str, place: "Place") -> bytes:
    """Keep an event, on disk when this returns; return what the session is owed. Raises ValueError: not an event; OSError: not kept."""
    told = events.told_by(raw)
    record = events.record_of(event, told, call_id=call_id, project=place.project, at_ms=time.time_ns() // 1_000_000)
    if place.redact:
        record = events.redacted(record)
    spool.append(place.folder, record)
    if event in _DRAIN_AFTER and (lock := spool.hold_drain(place.folder)) is not None:  # else the one at work takes this in, too
        os.close(lock)
        _start([sys.executable, "-P", "-m", "mcp_memory", "hook", DRAIN, "--data-dir", place.data_dir])
    if event not in events.SHOWS:
        return b""
    return events.shown(events.name_of(event, told), spool.take_owed(place.folder, record["session"])).encode("utf-8", "replace")


def _start(command: list[str]) -> None:
    """Start a process that outlives this one and shares none of its pipes, which the host waits for."""
    if sys.platform == "win32":
        import subprocess

        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        null = subprocess.DEVNULL
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, creationflags=flags, close_fds=True)
        return
    # `subprocess` would take as long to import as all of this took.
    streams = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        os.posix_spawn(command[0], command, os.environ, file_actions=streams, setsid=True)
    except NotImplementedError:  # a C library without it
        os.posix_spawn(command[0], command, os.environ, file_actions=streams, setpgroup=0)
