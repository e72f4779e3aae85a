"""Step positions, counts and routes of tools as words. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from mcp_memory.domain.text import shorten

MAX_ROUTE = 8  # tools of a route that are named
MAX_ERROR = 120  # characters of an error that is quoted
ID_CHARS = 18  # of a UUIDv7: its time and its first random digits; every call takes a unique beginning
NAMED_IN_REQUEST = "named in the request"  # why a file is among those to look at: no news
_UUID_CHARS = 36


def numbers(positions: Sequence[int]) -> str:
    """Return step positions as text, runs of neighbours joined.

    >>> numbers([3]), numbers([4, 5, 6, 9])
    ('step 3', 'steps 4-6, 9')
    """
    runs: list[list[int]] = []
    for i in positions:
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return ("steps " if len(positions) > 1 else "step ") + ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def counted(n: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "attempt"), counted(2, "attempt")
    ('1 attempt', '2 attempts')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def route(keys: Sequence[str]) -> str:
    """Return tool keys as a route, repetitions counted: `search ×2 → edit → pytest`."""
    parts: list[list[str | int]] = []
    for key in keys:
        if parts and parts[-1][0] == key:
            parts[-1][1] = int(parts[-1][1]) + 1
        else:
            parts.append([key, 1])
    names = [str(k) if n == 1 else f"{k} ×{n}" for k, n in parts]
    if len(names) > MAX_ROUTE:
        names = [*names[: MAX_ROUTE // 2], "…", *names[-MAX_ROUTE // 2 :]]
    return " → ".join(names)


def share(n: int, of: int, *, nearest: bool = False) -> str:
    """Return how many of how many; *nearest*: these are not all there are, but those most alike.

    >>> share(3, 4), share(3, 12, nearest=True)
    ('3 of 4', '3 of the 12 nearest')
    """
    return f"{n} of the {of} nearest" if nearest else f"{n} of {of}"


def day_of(at_ms: int) -> str:
    """Return the day of a time.

    >>> day_of(1_764_460_800_000)
    '2025-11-30'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()


def cut_id(whole: str) -> str:
    """Return an id as short as it can be shown.

    >>> cut_id("01923f6e-8d4c-7abc-9def-0123456789ab"), cut_id("ep0")
    ('01923f6e-8d4c-7abc', 'ep0')
    """
    return whole[:ID_CHARS] if len(whole) == _UUID_CHARS else whole


def quoted(error: str) -> str:
    """Return an error's message as it is shown within a sentence.

    >>> quoted("KeyError: 'a'")
    "`KeyError: 'a'`"
    """
    return f"`{shorten(' '.join(error.split()), MAX_ERROR)}`"
