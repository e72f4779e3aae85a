"""Signs beside the door, for hooks to know whether it is worth a wait: empty files whose dates say when."""

import os
import time

SILENT = "door-silent"  # when a hook waited at the door for nothing
OPENS = "door-opens"  # servers open a door here
STARTS = "door-starts"  # when a server that has not opened its door yet was started
SILENT_FOR_S = 60.0  # that a door which gave no answer is left alone
STARTS_FOR_S = 10.0  # by then a server has opened its door, or has not come up
_OLD_ADDRESS = "door"  # of an earlier version: an address on a port that anybody may take


def note_start(folder: str) -> None:
    """Note that a server was started and will open a door, where hooks are used."""
    if os.path.isdir(folder):
        _touch(os.path.join(folder, STARTS))


def note_open(folder: str) -> None:
    """Note that a door is open: hooks ask again, and may wait for one after this."""
    _touch(os.path.join(folder, OPENS))
    for name in (SILENT, STARTS, _OLD_ADDRESS):
        _remove(os.path.join(folder, name))


def note_nobody(folder: str) -> None:
    """Note that no door opened in time: the next prompt does not wait, until a server opens one again."""
    _remove(os.path.join(folder, OPENS))


def note_silence(folder: str) -> None:
    """Note that whoever keeps the door gave no answer."""
    _touch(os.path.join(folder, SILENT))


def note_answer(folder: str) -> None:
    """Note that whoever keeps the door answers again."""
    _remove(os.path.join(folder, SILENT))


def is_silent(folder: str) -> bool:
    """Return whether the door gave no answer lately."""
    return _is_recent(os.path.join(folder, SILENT), SILENT_FOR_S)


def starts(folder: str) -> bool:
    """Return whether a server is on its way to open the door."""
    return _is_recent(os.path.join(folder, STARTS), STARTS_FOR_S)


def opens(folder: str) -> bool:
    """Return whether servers open a door here."""
    return os.path.exists(os.path.join(folder, OPENS))


def _is_recent(path: str, seconds: float) -> bool:
    try:
        return 0 <= time.time() - os.stat(path).st_mtime < seconds
    except OSError:
        return False


def _touch(path: str) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        os.utime(path)
    except OSError:  # not to be remembered, then
        return


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
