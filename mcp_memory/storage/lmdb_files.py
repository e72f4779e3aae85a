"""The files of the hot tier's folder: which one is there, thrown away and exchanged by one process at a time."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mcp_memory import private
from mcp_memory.file_locks import wait_for_lock

DATA_FILE = "data.mdb"
MAX_READERS = 512  # one slot per thread that reads at once, in all processes; LMDB's 126 is few for a dozen servers
_LOCK_FILE_BYTES = (MAX_READERS + 128) * 64  # a cache line a slot, and the head


def identity(folder: Path) -> tuple[int, int] | None:
    """Return what tells the file that is in *folder* now from any other; None where there is none."""
    try:
        stat = (folder / DATA_FILE).stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def discard(folder: Path, damaged: tuple[int, int] | None) -> None:
    """Delete the damaged file, unless another process has exchanged it already; those that have it mapped keep it until they notice."""
    with exclusive(folder):
        if damaged is None or identity(folder) == damaged:
            remove(folder)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Let one process at a time open or exchange the file: half a pair of data and lock file would corrupt the other half's users."""
    with open(folder / "open.lock", "a+b", opener=private.opener) as file:
        wait_for_lock(file.fileno())
        yield  # closing the file releases the lock


def reserve_lock_file(folder: Path) -> None:
    """Give the lock file its pages on the disk before LMDB maps it: LMDB leaves a hole, and on a full disk writing into that is a SIGBUS.

    The data file needs none of this: LMDB writes it with `pwrite`, whose failure is an error. Raises OSError: there is no room.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with open(folder / "lock.mdb", "a+b", opener=private.opener) as file:
        os.posix_fallocate(file.fileno(), 0, _LOCK_FILE_BYTES)


def remove(folder: Path) -> None:
    """Delete the data and the lock file, whatever is under their names."""
    for name in (DATA_FILE, "lock.mdb"):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
