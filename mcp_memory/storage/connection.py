"""The only module that knows sqlite3: opening, pragmas, error translation.

One connection writes (in the batcher's thread); readers are separate and read-only, so a read never waits for a commit.
"""

import logging
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from mcp_memory import private
from mcp_memory.domain.filtering import fold
from mcp_memory.domain.shared_facts import fact_id
from mcp_memory.errors import CorruptRecord, InternalError, InvalidInput, McpMemoryError, MigrationError, StoreUnavailable, StoreUnusable
from mcp_memory.storage.file_system import cause, require_short
from mcp_memory.storage.row_sums import row_sum
from mcp_memory.user_data import user_data_dir

Connection = sqlite3.Connection
DriverError = sqlite3.Error
is_complete_statement = sqlite3.complete_statement
APPLICATION_ID = 0x4D454D31  # "MEM1": tells our file from any other SQLite file
logger = logging.getLogger(__name__)
STATEMENT_CACHE_SIZE = 256  # more than the number of distinct statements
WRITER_CACHE_KIB = 16_384
READER_CACHE_KIB = 8_192  # a reader's hot pages are the FTS index's
READER_BUSY_MS = 2_000  # a reader waits only for the recovery after a crash and the last checkpoint of a process that closes
WAL_LIMIT_BYTES = 64 * 1024 * 1024  # the log is cut back to this after a checkpoint
AUTOCHECKPOINT_PAGES = 16_000  # inside a commit: only when the checkpointer beside the writer cannot keep up
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FULL = {sqlite3.SQLITE_FULL}
_UNREADABLE = ("Could not decode", "user-defined function raised")  # the function is `row_sum`, which reads any value but a broken text
_NO_PLACE = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_AUTH}
_OURS = {  # what only a wrong statement or a wrong value of ours brings about
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
}
_UNWRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


def translate(error: BaseException) -> McpMemoryError | None:
    """Return *error* of sqlite3 as one of ours, None when it is not from the database."""
    if isinstance(error, UnicodeEncodeError):
        return InvalidInput("a text holds half of a surrogate pair, which is no character")
    if isinstance(error, UnicodeDecodeError):  # of SQLite's message, which quotes what it met
        return CorruptRecord("memory.db is damaged: a stored text is no text; it is left as it is")
    if not isinstance(error, sqlite3.Error):
        return None
    if str(error).startswith(_UNREADABLE):
        return CorruptRecord("memory.db is damaged: a stored text is no text; it is left as it is")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary code of an extended one
    if code in _BUSY:
        return StoreUnavailable("another process holds the write lock of memory.db")
    if code in _DAMAGED:
        return CorruptRecord(f"memory.db is damaged ({error}); it is left as it is")
    if code in _FULL:
        return StoreUnavailable("the disk is full; nothing was written", hint="Free some space and call again.")
    if code in _UNWRITABLE:
        return StoreUnusable(f"memory.db cannot be opened or written ({error})", hint="Check the permissions of the data directory.")
    if str(error).startswith("no such module"):
        return StoreUnusable(
            f"this Python's SQLite ({sqlite3.sqlite_version}) was built without full-text search ({error})",
            hint="Use a Python whose sqlite3 has FTS5, as those of python.org, uv, conda and most distributions do.",
        )
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error).lower():
        return StoreUnavailable("the store is closed")
    if code in _OURS:
        logger.error("a statement met a programming error", exc_info=error)
        return InternalError(f"the database refused a statement ({type(error).__name__})")
    return StoreUnavailable(f"the database refused: {error}")


def is_busy(error: BaseException) -> bool:
    """Whether *error* says that another connection holds the lock."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY


class translated:
    """Context in which sqlite3's errors come out as ours. A class, not a generator: it wraps reads of a few microseconds."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and (ours := translate(error)) is not None:
            raise ours from error


def open_writer(path: Path, *, synchronous: str, busy_timeout_ms: int, deadline_ms: int) -> Connection:
    """Return the read-write connection to *path*, created when absent, in WAL mode.

    Raises:
        StoreUnusable: It cannot be opened: its place, its permissions, SQLite itself.
        StoreUnavailable: Another process held it exclusively for *deadline_ms*, or the disk is full.
        CorruptRecord: The file is damaged or not a database.
        MigrationError: The file is a database of some other program.
    """
    require_short(path)
    try:
        private.make_folder(path.parent, ours=path.parent == Path(user_data_dir()))
    except OSError as error:
        raise StoreUnusable(f"the data directory {path.parent} cannot be made: {error}", hint="Set another data directory.") from error
    with suppress(OSError):  # what is wrong with the place is explained below
        private.make_file(path)
        for suffix in ("-wal", "-shm"):
            private.tighten(path.with_name(path.name + suffix))
    with translated(), _explained(path):
        connection = _connect(f"file:{_quoted(path)}?mode=rwc", busy_timeout_ms)
        try:
            _retry_busy(lambda: _claim(connection, path), deadline_ms)
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute(f"PRAGMA fullfsync = {int(synchronous == 'FULL')}")  # macOS: a plain fsync stops at the drive's cache
            connection.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten with zeros
            connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say why the file cannot be opened, where looking at its place tells."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _UNWRITABLE | _NO_PLACE:
            raise
        raise StoreUnusable(
            f"memory.db cannot be opened: {cause(path)} ({error})", hint="Use a data directory on a local disk that this user can write."
        ) from error


def open_reader(path: Path) -> Connection:
    """Return a read-only connection to an existing *path*; any one thread at a time may use it."""
    with translated():
        connection = _connect(f"file:{_quoted(path)}?mode=ro", READER_BUSY_MS)
        try:
            connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
            connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            connection.close()
            raise
        return connection


def begin(connection: Connection, deadline_ms: int) -> None:
    """Begin a write transaction, waiting for other processes up to *deadline_ms* (blocking; never call it on an event loop)."""
    _retry_busy(lambda: connection.execute("BEGIN IMMEDIATE"), deadline_ms)


def checkpoint_wal(connection: Connection) -> None:
    """Move committed pages from the log into the file as far as no reader is in the way; a busy lock is no error."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _connect(uri: str, busy_timeout_ms: int) -> Connection:
    connection = sqlite3.connect(
        uri,
        uri=True,
        timeout=busy_timeout_ms / 1000,
        isolation_level=None,  # we say BEGIN ourselves
        check_same_thread=False,
        cached_statements=STATEMENT_CACHE_SIZE,
    )
    connection.create_function("row_sum", -1, row_sum, deterministic=True)
    connection.create_function("fact_id", -1, fact_id, deterministic=True)
    connection.create_function("fold", 1, fold, deterministic=True)  # for names that are not ASCII; see listing.py
    return connection


def _quoted(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file:")


def _claim(connection: Connection, path: Path) -> None:
    """Set WAL and our mark on a new file; refuse a database that is not ours."""
    mark = connection.execute("PRAGMA application_id").fetchone()[0]
    if mark != APPLICATION_ID and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise MigrationError(f"{path} is a database of another program", hint="Use another data directory.")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mark != APPLICATION_ID:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _retry_busy(work: Callable[[], object], deadline_ms: int) -> None:
    """Do *work*, again while it meets a lock, until the deadline. Pauses are random so that processes do not move in step."""
    until = time.monotonic() + deadline_ms / 1000
    while True:
        try:
            work()
            return
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= until:
                raise
        time.sleep(random.uniform(0.0005, 0.005))
