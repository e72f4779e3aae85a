"""Locks on open files between processes. The kernel frees them when their holder dies, so no clock is involved. Imports next to nothing."""

import os

if os.name == "nt":
    import msvcrt
else:
    import fcntl


def hold_lock(path: "str | os.PathLike[str]") -> int | None:
    """Return an open file that has the lock until it is closed, None when another has it. Raises OSError: the file cannot be made."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if try_lock(fd):
        return fd
    os.close(fd)
    return None


def wait_for_lock(fd: int) -> None:
    """Lock an open file until it is closed; waits as long as another has it. Raises OSError: there are no locks here."""
    if os.name == "nt":
        msvcrt.locking(fd, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(fd, fcntl.LOCK_EX)


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
