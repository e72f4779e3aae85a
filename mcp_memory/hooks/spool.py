"""What happened while no server had the memory open: one file per session, a JSON line per event, appended and synced by the hooks.

Lines are redacted before they come here. A process that has the memory open takes them in order (`turns.Hooks.drain`) and removes
the file; the session's ledger says how far it got, and an event's id keeps it from counting twice.
"""

import json
import os
import time

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SUFFIX = ".spool"
OWED_SUFFIX = ".owed"  # text that no hook has shown to the agent yet
DRAIN_LOCK = "drain-lock"  # held by the process in the background that drains
LOCK_WAIT_S = 1.0  # a holder needs it for a millisecond; a stopped one must not stop us
_LOCK_POLL_S = 0.002
_MAX_NAME_CHARS = 100


def file_name(session_id: str, suffix: str) -> str:
    """Return the name of a session's file."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in session_id)
    return safe[:_MAX_NAME_CHARS] + suffix


def append(folder: str, record: "dict[str, Any]") -> None:
    """Add one event to its session's file; on disk when this returns. Raises OSError."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    path = os.path.join(folder, file_name(record["session"], SUFFIX))
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        try:
            _wait_for(fd)
            if os.fstat(fd).st_nlink == 0:  # taken and removed between our opening and our lock
                continue
            size = os.fstat(fd).st_size
            if size:
                os.lseek(fd, size - 1, os.SEEK_SET)
                line = line if os.read(fd, 1) == b"\n" else b"\n" + line  # after a line that a crash cut short
            while line:
                line = line[os.write(fd, line) :]
            os.fsync(fd)
            return
        finally:
            os.close(fd)


def read(folder: str, session_id: str, first_id: str, taken: int) -> "Iterator[tuple[int, dict[str, Any] | None]]":
    """Yield (offset after it, event) for every whole line not taken yet; None for a line that is no event.

    *taken* counts bytes of the file that begins with event *first_id*; of another file nothing is taken yet.
    """
    try:
        with open(os.path.join(folder, file_name(session_id, SUFFIX)), "rb") as file:
            first = parsed(file.readline())
            start = taken if first is not None and first["id"] == first_id else 0
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                start += len(line)
                yield start, parsed(line)
    except FileNotFoundError:
        return


def first_id(folder: str, session_id: str) -> str:
    """Return the id of the event a session's file begins with; "" when there is none."""
    try:
        with open(os.path.join(folder, file_name(session_id, SUFFIX)), "rb") as file:
            return str((parsed(file.readline()) or {"id": ""})["id"])
    except FileNotFoundError:
        return ""


def remove_taken(folder: str, session_id: str, begins_with: str, taken: int) -> bool:
    """Remove the session's file, if it begins with event *begins_with* and nothing came after *taken*; return whether it is gone."""
    path = os.path.join(folder, file_name(session_id, SUFFIX))
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        if not try_lock(fd) or os.fstat(fd).st_size > taken or first_id(folder, session_id) != begins_with:
            return False
        os.unlink(path)
        return True
    except PermissionError:  # Windows keeps a file that is open; the next time, then
        return False
    finally:
        os.close(fd)


def hold_drain(folder: str) -> int | None:
    """Return an open file to close when the draining is done, or None: somebody drains already, or there is nothing to drain."""
    try:
        fd = os.open(os.path.join(folder, DRAIN_LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    if try_lock(fd):
        return fd
    os.close(fd)
    return None


def try_lock(fd: int) -> bool:
    """Lock an open file against other holders of this lock, until it is closed; False when another has it."""
    try:
        if os.name == "nt":
            os.lseek(fd, 0x7FFF0000, os.SEEK_SET)  # a byte that no text reaches: locked bytes cannot be read there
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def parsed(line: bytes) -> "dict[str, Any] | None":
    """Return the event on a line, or None."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    whole = isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("id", "event", "session", "project"))
    return value if whole else None


def owe(folder: str, session_id: str, text: str) -> None:
    """Keep *text* for the session's next hook that can show it."""
    with open(os.path.join(folder, file_name(session_id, OWED_SUFFIX)), "a", encoding="utf-8", errors="replace") as file:
        file.write(text + "\n")


def take_owed(folder: str, session_id: str) -> str:
    """Return what is owed to the session, once: of hooks side by side one gets it."""
    path = os.path.join(folder, file_name(session_id, OWED_SUFFIX))
    mine = f"{path}.{os.getpid()}"
    try:
        os.replace(path, mine)
    except OSError:
        return ""
    with open(mine, encoding="utf-8", errors="replace") as file:
        text = file.read()
    os.unlink(mine)
    return text.strip()


def _wait_for(fd: int) -> None:
    until = time.monotonic() + LOCK_WAIT_S
    while not try_lock(fd) and time.monotonic() < until:
        time.sleep(_LOCK_POLL_S)
