"""Which process a hook was run by, and whether it is still there: a session whose host is gone is over. Linux only; elsewhere nobody knows.

It runs with every hook, so it imports nothing but `os`.
"""

import os

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "ksh", "fish", "env", "timeout"})  # a host runs a hook by one
_MAX_LEVELS = 4
NICENESS = 5  # no more: on a busy machine it would hold its locks for long, and so with SCHED_IDLE
_NAMESPACE = "/proc/self/ns/pid"


def step_back() -> None:
    """Let everything else on this machine go first: the agent, and its next hook."""
    try:
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        if hasattr(os, "SCHED_BATCH"):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except OSError:  # a sandbox forbids it; what is to be done is done all the same
        return


def host_process() -> str:
    """Return what names the host's process among all that ever ran here: number, start, namespace; "" where that cannot be told."""
    try:
        pid = os.getppid()
        for _ in range(_MAX_LEVELS):
            name, parent, start = _stat(pid)
            if name not in _SHELLS:
                return f"{pid}:{start}:{os.readlink(_NAMESPACE)}" if pid > 1 else ""
            pid = parent
    except (OSError, ValueError, IndexError):
        pass
    return ""


def own_process() -> str:
    """Return what names this process, for a program that is its agent's host itself; "" where that cannot be told."""
    try:
        return f"{os.getpid()}:{_stat(os.getpid())[2]}:{os.readlink(_NAMESPACE)}"
    except (OSError, ValueError, IndexError):
        return ""


def is_alive(process: str) -> bool:
    """Return whether the process is there. One that cannot be told, of another machine or container for instance, is not taken for gone."""
    pid, _, rest = process.partition(":")
    start, _, namespace = rest.partition(":")
    try:
        if not process or namespace != os.readlink(_NAMESPACE):
            return bool(process)
        return _stat(int(pid))[2] == start
    except FileNotFoundError:
        return False
    except (OSError, ValueError, IndexError):
        return True


def _stat(pid: int) -> tuple[str, int, str]:
    """Return a process' name, its parent and when it started. Raises OSError: it is not there."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        head, _, rest = file.read().rpartition(")")
    fields = rest.split()
    if fields[0] in "ZX":
        raise FileNotFoundError("it has ended")
    return head.partition("(")[2], int(fields[1]), fields[19]
