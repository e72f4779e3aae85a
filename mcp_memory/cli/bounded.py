"""Files somebody names: opened only when they are files, read no further than their lines may be long."""

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO

MAX_LINE_BYTES = 64 * 1024 * 1024  # far above any episode; as parsed JSON it takes several times as much memory
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024  # of a file that is one JSON document
_SKIPPED_BYTES = 1024 * 1024  # at a time, of a line that is too long
_GZIP_MAGIC = b"\x1f\x8b"
UNREADABLE = (OSError, EOFError, zlib.error)  # what reading a file can raise, cut and damaged compressed data included


class NotAFile(OSError):
    """What was named cannot be read as a file; the message says what it is."""


def check_is_file(path: Path) -> None:
    """Raise NotAFile for a folder, a device or a file of the kernel, OSError for what is not there; a pipe will do."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise NotAFile("is a folder, not a file; name the files in it, or say --from where it has another tool's transcripts")
    if stat.S_ISFIFO(found.st_mode):
        return
    if not stat.S_ISREG(found.st_mode):
        raise NotAFile("is not a file but a device or a socket")
    if found.st_dev in _kernel_devices():
        raise NotAFile("is a file of the kernel, which has no episodes")


def _kernel_devices() -> set[int]:
    found = set()
    for place in ("/proc", "/sys"):
        try:
            found.add(os.stat(place).st_dev)
        except OSError:
            continue
    return found - {os.stat(os.sep).st_dev}


@contextmanager
def opened(path: Path) -> Iterator[tuple[BufferedReader, IO[bytes]]]:
    """Yield (the file, its content): inflated when its first two bytes say gzip. Raises OSError."""
    check_is_file(path)
    with path.open("rb") as raw:
        if raw.peek(2)[:2] != _GZIP_MAGIC:
            yield raw, raw
            return
        with gzip.open(raw) as file:
            yield raw, file  # type: ignore[misc]


def lines(file: IO[bytes], max_bytes: int = MAX_LINE_BYTES) -> Iterator[tuple[int, bytes | None]]:
    """Yield (number from 1, line), None in place of a line of over *max_bytes*, which is passed over piece by piece."""
    number = 0
    while line := file.readline(max_bytes + 1):
        number += 1
        if len(line) <= max_bytes:
            yield number, line
            continue
        while not line.endswith(b"\n") and (line := file.readline(_SKIPPED_BYTES)):
            pass
        yield number, None


def too_long(max_bytes: int = MAX_LINE_BYTES) -> str:
    """Return why a line was passed over."""
    return f"the line is longer than {max_bytes // 2**20} MiB, the limit"


def explained(error: BaseException) -> str:
    """Return one line about a file that could not be read, or not to its end."""
    if isinstance(error, EOFError):
        return "the compressed data is cut off; what came before was read"
    if isinstance(error, zlib.error | gzip.BadGzipFile):
        return f"the compressed data is damaged: {error}; what came before was read"
    return str(getattr(error, "strerror", None) or error)
