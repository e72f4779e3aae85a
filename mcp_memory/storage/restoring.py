"""Putting a memory back from a backup. What was there is moved aside, never written over."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from mcp_memory import private
from mcp_memory.domain.backups import Restored
from mcp_memory.errors import StoreUnavailable
from mcp_memory.storage.backup_files import mint_replica, read_backup
from mcp_memory.storage.connection import is_busy, translated
from mcp_memory.storage.sqlite_store import FILE_NAME

_MOVED = (FILE_NAME, FILE_NAME + "-wal", FILE_NAME + "-shm", "cache")  # the cache holds copies of what is moved


def restore_backup(file: Path, data_dir: Path, now_ms: int, *, verify_only: bool = False) -> Restored:
    """Verify a backup, then make it the memory of *data_dir*, as a new replica (blocking). Nothing is changed when it is not sound.

    Raises:
        InvalidInput: No backup.
        CorruptRecord: It is damaged.
        MigrationError: It was made by a newer version.
        StoreUnavailable: Another process has the memory of that directory open.
    """
    private.make_folder(data_dir, ours=False)
    fresh = data_dir / f".restored.{os.getpid()}.db"
    os.close(private.create(fresh))
    try:
        manifest = read_backup(file, fresh)
        with translated(), closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            replica_id = mint_replica(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if verify_only:
            return Restored(manifest, manifest.replica_id, None)
        kept = _set_aside(data_dir, now_ms)
        fresh.rename(data_dir / FILE_NAME)
    finally:
        for left in (fresh, fresh.with_name(fresh.name + "-wal"), fresh.with_name(fresh.name + "-shm")):
            left.unlink(missing_ok=True)
    return Restored(manifest, replica_id, str(kept) if kept else None)


def _set_aside(data_dir: Path, now_ms: int) -> Path | None:
    """Move the files of the memory that is there into a folder beside them, and return it."""
    there = [data_dir / name for name in _MOVED if (data_dir / name).exists()]
    if not there:
        return None
    _require_alone(data_dir / FILE_NAME)
    kept = data_dir / f"replaced-{now_ms}"
    private.make_folder(kept, ours=True)
    for path in there:
        if path.exists():  # closing the last connection has removed the log
            path.rename(kept / path.name)
    return kept


def _require_alone(path: Path) -> None:
    """Raise StoreUnavailable when anybody has the database open: every connection in WAL mode holds a shared lock on it all the time."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            if is_busy(error):
                raise StoreUnavailable(
                    f"another process has {path} open; nothing was changed", hint="End the servers on this directory first."
                ) from error
            # damaged, which may be why it is to be replaced
