"""Folders and files that only their owner may read: a memory holds what people and agents said. Imports next to nothing."""

import os
import stat
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
_OTHERS = 0o077


def make_folder(folder: Path, *, ours: bool) -> None:
    """Make a folder that only its owner may enter, and those above it. One that exists is tightened when it is *ours*; else it is its
    maker's business.

    Raises:
        OSError: It cannot be made.
    """
    if not folder.parent.exists():  # `mkdir` gives the mode to the last one only
        make_folder(folder.parent, ours=False)
    folder.mkdir(exist_ok=True, mode=FOLDER)
    if ours:
        tighten(folder, FOLDER)


def make_file(path: Path) -> None:
    """Create an empty file for its owner only, unless there is one. Raises OSError: it cannot be made."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    except FileExistsError:  # never opened here: closing a second descriptor would drop a database's locks
        tighten(path)


def tighten(path: Path, mode: int = FILE) -> None:
    """Take from others what an earlier version, or a loose umask, gave them. What belongs to somebody else stays as it is."""
    try:
        found = path.lstat()
        if stat.S_IMODE(found.st_mode) & _OTHERS and not stat.S_ISLNK(found.st_mode):
            path.chmod(stat.S_IMODE(found.st_mode) & mode)
    except OSError:
        return  # not there yet, not ours, or a file system without modes


def create(path: Path) -> int:
    """Return a descriptor of a new file for its owner only; one of that name is replaced, a link never followed. Raises OSError."""
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE)


def opener(path: str, flags: int) -> int:
    """For `open`: a file that is made by it is its owner's only."""
    return os.open(path, flags, FILE)
