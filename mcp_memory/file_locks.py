"""Locks on open files between processes. The kernel frees them when their holder dies, so no clock is involved. Imports next to nothing."""

import os

if os.name == "nt":
    import msvcrt
else:
    import fcntl


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
