"""Reading and replacing files that somebody else may have laid a trap in: a stranger's clone holds links and names it chose.

A project's file is reached folder by folder without following a link, from the project's own folder on. What is written goes to a new
file under a random name, and takes the old one's place in one step, with its mode.
"""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mcp_memory.errors import InvalidInput

MAX_BYTES = 64 * 1024 * 1024  # hosts keep megabytes in some of these files
_HAS_FOLDERS = os.open in os.supports_dir_fd  # not on Windows
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def real_path(path: Path, within: Path | None) -> Path:
    """Return where *path* is, all links followed; a file behind a person's own link is the one to edit.

    Raises InvalidInput: it is not inside *within* (the project's folder), or a link in the project leads to nothing.
    """
    real = Path(os.path.realpath(path))
    if within is None:
        return real
    root = Path(os.path.realpath(within))
    if not real.is_relative_to(root):
        raise InvalidInput(
            f"{path} is a link out of the project, to {real}", hint="Nothing was changed. Remove the link, or edit that file yourself."
        )
    if real != root / path.relative_to(within) and not real.exists():
        raise InvalidInput(f"{path} is a link to nothing", hint="Nothing was changed. Remove the link.")
    return real


def read(path: Path, within: Path | None = None) -> bytes | None:
    """Return a file's content, or None when there is none. Raises InvalidInput: no plain file, too large; OSError."""
    try:
        with _folder(path.parent, within) as folder:
            fd = _open(folder, path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    with open(fd, "rb") as file:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            raise InvalidInput(f"{path} is not a plain file", hint="Nothing was changed.")
        if state.st_size > MAX_BYTES:
            raise InvalidInput(f"{path} is larger than {MAX_BYTES:,} bytes", hint="Nothing was changed.")
        return file.read()


def write(path: Path, content: bytes, within: Path | None = None, mode: int | None = None) -> list[Path]:
    """Put *content* in the place of a file in one step, and return the folders made for it.

    An old file's mode and owner are kept; a new one gets *mode*, else what the umask leaves. Raises OSError, with nothing changed.
    """
    made = make_folders(path.parent, within)
    with _folder(path.parent, within) as folder:
        old = _state(folder, path)
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        fd = _open(folder, part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
        try:
            with open(fd, "wb") as file:
                _take_after(fd, old)
                file.write(content)
                file.flush()
                os.fsync(fd)
            os.replace(_name(folder, part), _name(folder, path), src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(_name(folder, part), dir_fd=folder)
            raise
    return made


def remove(path: Path, made: list[Path], within: Path | None = None) -> None:
    """Remove a file and those of *made*, the folders once made for it, that are empty."""
    with _folder(path.parent, within) as folder:
        os.unlink(_name(folder, path), dir_fd=folder)
    for empty in reversed(made):
        with suppress(OSError):
            empty.rmdir()


def make_folders(path: Path, within: Path | None = None) -> list[Path]:
    """Make a folder and those above it that are absent; return what was made, the topmost first. Raises OSError."""
    made: list[Path] = []
    while not path.exists():
        made.insert(0, path)
        path = path.parent
    for absent in made:
        with _folder(absent.parent, within) as folder:
            os.mkdir(_name(folder, absent), dir_fd=folder)
    return made


@contextmanager
def _folder(path: Path, within: Path | None) -> Iterator[int | None]:
    """Open a folder, by no link below *within*; None where the platform has no such thing. Raises OSError."""
    if not _HAS_FOLDERS:
        yield None
        return
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    root = Path(os.path.realpath(within)) if within else path
    fd = os.open(root, flags)
    try:
        for part in path.relative_to(root).parts:
            below = os.open(part, flags | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


def _open(folder: int | None, path: Path, flags: int, mode: int = 0o600) -> int:
    return os.open(_name(folder, path), flags | _PLAIN, mode, dir_fd=folder)


def _name(folder: int | None, path: Path) -> str:
    return str(path) if folder is None else path.name


def _state(folder: int | None, path: Path) -> os.stat_result | None:
    try:
        return os.stat(_name(folder, path), dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _take_after(fd: int, old: os.stat_result | None) -> None:
    """Give a new file the mode and, when somebody installs for another user, the owner of the old."""
    if old is None or not hasattr(os, "fchmod"):
        return
    if (old.st_uid, old.st_gid) != (os.fstat(fd).st_uid, os.fstat(fd).st_gid):
        with suppress(PermissionError):
            os.fchown(fd, old.st_uid, old.st_gid)
    os.fchmod(fd, stat.S_IMODE(old.st_mode))
