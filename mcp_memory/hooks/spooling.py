"""A hook without a server: the event is kept, redacted, beside the memory, and a process in the background takes it in.

What that process would have told the agent, the session's next hook tells it.
"""

import json
import os
import sys
import time

from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip
from mcp_memory.hooks import answers, events, spool, standby
from mcp_memory.hooks.kinds import PROMPTS, SHOWS
from mcp_memory.projects import Project, project_at
from mcp_memory.redaction import redact_record, redact_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mcp_memory.hooks.settings import HookSettings

DRAIN = "drain"  # the event of a hook of our own: take in what waits
MANY_BYTES = 500_000  # of one session, some 150 events: as often as that many more wait, they are taken in meanwhile
_MEMORY = "memory.db"
# Before anything heavy is loaded.
_FIRST = "from mcp_memory.hooks import processes, standby; processes.step_back(); standby.stand_by(sys.argv.pop(1)) or sys.exit()"
_OURS = frozenset({"id", "event", "at_ms", "host"})
_IDS = frozenset({"session", "project", "project_before", "agent", "call", "started", "turn", "process"})


def redacted(record: "dict[str, Any]") -> "dict[str, Any]":
    """Return a record without secrets in whatever the host told; ids stay apart from each other."""
    return redact_record(record, [], ours=_OURS, ids=_IDS)


def project_of(raw: bytes, settings: "HookSettings") -> Project | None:
    """Return the project that the settings name, else that of the folder an event tells of. Raises ValueError: it is no event."""
    if settings.project:
        return Project(settings.project, settings.before)
    return project_at(events.folder_of(events.told_by(raw), settings.host))


def redacted_body(raw: bytes) -> bytes:
    """Return an event without secrets, as it may leave this machine. Raises ValueError: it is no event."""
    return json.dumps(redact_tree("event", _clipped(events.told_by(raw), limits.MAX_JSON_DEPTH), [])).encode()


def _clipped(value: "Any", depth: int) -> "Any":
    """Return a JSON value with texts no longer than what is kept of them, and no deeper than can be looked at."""
    if isinstance(value, str):
        return clip(value, limits.MAX_TASK_CHARS)
    if isinstance(value, dict):
        return {str(name): _clipped(item, depth - 1) for name, item in value.items()} if depth > 1 else {}
    if isinstance(value, list):
        return [_clipped(item, depth - 1) for item in value] if depth > 1 else []
    return value


def keep(event: str, raw: bytes, call_id: str, settings: "HookSettings", process: str = "") -> bytes:
    """Keep an event, on disk when this returns; return what the session is owed. Raises ValueError: not an event; OSError: not kept."""
    told = events.told_by(raw)
    at_ms = time.time_ns() // 1_000_000
    record = events.record_of(
        event, told, call_id=call_id, project=settings.project, at_ms=at_ms, host=settings.host, process=process, before=settings.before
    )
    if settings.redact:
        record = redacted(record)
    before, after = spool.append(settings.folder, record)
    is_many = before // MANY_BYTES < after // MANY_BYTES
    is_due = is_many or _is_worth_it(event, settings)
    if is_due and (lock := spool.hold(settings.folder, standby.LOCK)) is not None:  # else somebody waits for that
        os.close(lock)
        _start(drain_command(settings.data_dir), settings.data_dir)
    if event not in SHOWS:
        return b""
    owed = spool.take_owed(settings.folder, record["session"])
    if not owed:
        return b""
    from mcp_memory.rendering.neutralise import unmarked

    return answers.shown(event, events.name_of(event, told, settings.host), unmarked(owed), settings.host).encode()


def _is_worth_it(event: str, settings: "HookSettings") -> bool:
    """Return whether an event is worth a process that opens the memory: it takes a second of the machine on which the agent works.

    A session's end is, and a prompt where the memory may have something to tell about it. All else waits for those, or for a reader.
    """
    return event == "session-end" or (event in PROMPTS and os.path.exists(os.path.join(settings.data_dir, _MEMORY)))


def drain_command(data_dir: str) -> list[str]:
    """Return the command that takes in what waits, once there is a lull (`standby`).

    Isolated (`-I`): neither the agent's folder nor PYTHONPATH, which are a project's, may name modules of it. Our own package is found by
    where it is, after the standard library. Whoever keeps this process from writing bytecode beside the code keeps that one, too.
    """
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    code = f"import sys; sys.path.append({root!r}); {_FIRST}; from mcp_memory.cli.main import main; sys.exit(main(sys.argv[1:]))"
    flags = "-IB" if sys.dont_write_bytecode else "-I"
    return [sys.executable, flags, "-c", code, data_dir, "hook", DRAIN, "--data-dir", data_dir]


def _start(command: list[str], folder: str) -> None:
    """Start a process that outlives this one and shares none of its pipes, which the host waits for."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    if sys.platform == "win32":
        import subprocess

        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        null = subprocess.DEVNULL
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, creationflags=flags, close_fds=True, env=env, cwd=folder)
        return
    # `subprocess` would take as long to import as all of this took.
    streams = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        os.posix_spawn(command[0], command, env, file_actions=streams, setsid=True)
    except NotImplementedError:  # a C library without it
        os.posix_spawn(command[0], command, env, file_actions=streams, setpgroup=0)
