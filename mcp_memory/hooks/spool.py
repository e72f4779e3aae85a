"""What happened while no server had the memory open: one file per session, a JSON line per event, appended and synced by the hooks.

Lines are redacted before they come here. A process that has the memory open takes them in order (`turns.Hooks.drain`) and removes
the file; the session's ledger says how far it got, and an event's id keeps it from counting twice.
"""

import json
import os
import time

from mcp_memory.file_locks import hold_lock, try_lock
from mcp_memory.hooks import events, wire

try:
    from _blake2 import blake2b  # `hashlib` would load OpenSSL, which takes as long as the rest
except ImportError:  # another Python than CPython
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SUFFIX = ".spool"
OWED_SUFFIX = ".owed"  # text that no hook has shown to the agent yet
ASIDE = "set-aside.jsonl"  # lines that nobody understood, and why
DRAIN_LOCK = "drain-lock"  # held by whoever takes in what waits: one process at a time
LOCK_WAIT_S = 1.0  # a holder needs it for a millisecond; a stopped one must not stop us
MAX_ASIDE_BYTES = 1_000_000
_LOCK_POLL_S = 0.002
_DIGEST_BYTES = 16


def file_name(session_id: str, suffix: str) -> str:
    """Return the name of a session's file: a digest, since ids that differ in any way must not meet in one file."""
    return blake2b(session_id.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest() + suffix


def make_private(folder: str) -> None:
    """Make the folder of the hooks, and the data directory it is in, for nobody but us.

    Raises OSError: it cannot be made, or is somebody else's.
    """
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)  # the mode is that of the last folder alone
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if wire.is_private(folder):
        return
    if os.stat(folder).st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to somebody else; give it to the user who runs the agent, or remove it")
    os.chmod(folder, 0o700)  # made by an earlier version under a loose umask


def append(folder: str, record: "dict[str, Any]") -> tuple[int, int]:
    """Add one event to its session's file, on disk when this returns; return the file's size before and after. Raises OSError."""
    make_private(folder)
    line = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    path = os.path.join(folder, file_name(record["session"], SUFFIX))
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
        try:
            while not try_lock(fd) and time.monotonic() < until:  # a stopped holder must not stop us: lines are appended in one piece
                time.sleep(_LOCK_POLL_S)
            if os.fstat(fd).st_nlink == 0:  # taken and removed between our opening and our lock
                continue
            size = os.fstat(fd).st_size
            if size:
                os.lseek(fd, size - 1, os.SEEK_SET)
                line = line if os.read(fd, 1) == b"\n" else b"\n" + line  # after a line that a crash cut short
            after = size + len(line)
            while line:
                line = line[os.write(fd, line) :]
            os.fsync(fd)
            return size, after
        finally:
            os.close(fd)


def read(folder: str, session_id: str, first_id: str, taken: int) -> "Iterator[tuple[int, dict[str, Any] | bytes]]":
    """Yield (offset after it, event) for every whole line not taken yet; the line itself where it is no event that we understand.

    *taken* counts bytes of the file that begins with *first_id*; of another file nothing is taken yet.
    """
    try:
        with open(os.path.join(folder, file_name(session_id, SUFFIX)), "rb") as file:
            start = taken if begins_with(file.readline()) == first_id else 0
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                start += len(line)
                yield start, parsed(line) or line
    except FileNotFoundError:
        return


def first_id(folder: str, session_id: str) -> str:
    """Return what a session's file begins with, as `begins_with` names it; "" when there is none."""
    try:
        with open(os.path.join(folder, file_name(session_id, SUFFIX)), "rb") as file:
            return begins_with(file.readline())
    except FileNotFoundError:
        return ""


def begins_with(line: bytes) -> str:
    """Return what a file's first line names it by, whether we understand the line or not."""
    return blake2b(line, digest_size=_DIGEST_BYTES).hexdigest() if line else ""


def remove_taken(folder: str, session_id: str, first: str, taken: int) -> bool:
    """Remove the session's file, if it begins with *first* and nothing came after *taken*; return whether it is gone."""
    path = os.path.join(folder, file_name(session_id, SUFFIX))
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        if not try_lock(fd) or os.fstat(fd).st_size > taken or first_id(folder, session_id) != first:
            return False
        os.unlink(path)
        return True
    except PermissionError:  # Windows keeps a file that is open; the next time, then
        return False
    finally:
        os.close(fd)


def hold(folder: str, lock: str) -> int | None:
    """Return an open file that has a lock of the hooks until it is closed, or None: another has it, or there is nothing to take in."""
    try:
        return hold_lock(os.path.join(folder, lock))
    except OSError:  # nobody has used hooks here, or it is not ours
        return None


def parsed(line: bytes) -> "dict[str, Any] | None":
    """Return the event on a line, or None: it is none that this version understands. Half surrogates are replaced: no store takes them."""
    try:
        value = json.loads(line)
        if b"\\u" in line:
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        return value if events.is_understood(value) else None
    except (ValueError, RecursionError):
        return None


def take_apart(folder: str, path: str) -> str:
    """Give each event of a file its session's own file, set the rest aside, and remove the file; return the session of the first.

    For files whose name is not their session's: earlier versions made names that two sessions could share.
    """
    fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        if not try_lock(fd):
            return ""
        first = ""
        with os.fdopen(os.dup(fd), "rb") as file:
            for line in file:
                record = parsed(line)
                if record is None:
                    set_aside(folder, line, "no event that this version understands")
                    continue
                if path == os.path.join(folder, file_name(record["session"], SUFFIX)):
                    return str(record["session"])  # it is in its place
                append(folder, record)
                first = first or str(record["session"])
        os.unlink(path)
        return first
    finally:
        os.close(fd)


def set_aside(folder: str, line: bytes, reason: str) -> None:
    """Keep what nobody understood beside the rest, as long as there is room, so that it is in nobody's way and can be looked at."""
    entry = json.dumps({"reason": reason, "line": line[:10_000].decode("utf-8", "replace")}).encode() + b"\n"
    try:
        fd = os.open(os.path.join(folder, ASIDE), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        return
    try:
        if os.fstat(fd).st_size + len(entry) <= MAX_ASIDE_BYTES:
            os.write(fd, entry)
    except OSError:
        return
    finally:
        os.close(fd)


def owe(folder: str, session_id: str, text: str) -> None:
    """Keep *text* for the session's next hook that can show it."""
    path = os.path.join(folder, file_name(session_id, OWED_SUFFIX))
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8", errors="replace") as file:
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
