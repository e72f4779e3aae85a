"""The process that a hook starts to take in what waits, before it has loaded anything: it lets the others go first and waits for a lull.

Opening the memory takes a second of a core; beside it each hook of a busy session would take twice its time.
"""

import os
import time

from mcp_memory.hooks import spool, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LOCK = "standby-lock"  # held by the one process that waits for its turn
LULL_S = 1.0  # without an event: the agent thinks, or is done
LONGEST_S = 30.0  # of waiting for it
_A_LITTLE_S = 0.01  # more than a clock's step


def stand_by(data_dir: str, *, sleep: "Callable[[float], None]" = time.sleep, now: "Callable[[], float]" = time.time) -> bool:
    """Wait, as the only one, for a lull; return whether there is still something to take in, and whether it is ours to take.

    Readers are in nobody's way meanwhile: what they take in, they take in themselves. *now* is in epoch seconds, as files are dated.
    """
    folder = wire.folder_of(data_dir)
    lock = spool.hold(folder, LOCK)
    if lock is None:
        return False
    try:
        until = now() + LONGEST_S
        while (latest := _latest(folder)) is not None and now() < until:
            lull = now() - latest
            if lull >= LULL_S or lull < -LONGEST_S:  # the clock was put back
                return True
            sleep(LULL_S - lull + _A_LITTLE_S)
        return latest is not None
    finally:
        os.close(lock)


def _latest(folder: str) -> float | None:
    """Return when the latest event came, None when none waits."""
    dates = []
    for entry in os.scandir(folder):
        try:
            if entry.name.endswith(spool.SUFFIX):
                dates.append(entry.stat().st_mtime)
        except FileNotFoundError:  # it was taken in just now
            continue
    return max(dates, default=None)
