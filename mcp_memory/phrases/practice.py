"""What was done, with success or without, as lines of a guide. Pure."""

from collections.abc import Sequence

from mcp_memory.domain.text import shorten
from mcp_memory.phrases.words import counted, cut_id, day_of, quoted

NOTHING_YET = "Nothing is well supported yet."
MAX_CHANGE_CHARS, MAX_TASK_CHARS = 240, 90
_NUMBERS = {2: "two", 3: "three"}
MAX_IDS = 2  # of episodes that are named


def scope(attempts: int, won: int, last_at_ms: int) -> str:
    """Return from what attempts a guide is made, "" without any; the day of the last where that is known.

    >>> scope(66, 20, 1_764_460_800_000), scope(1, 0, 0), scope(0, 0, 0)
    ('From 66 attempts, of which 20 succeeded, the last on 2025-11-30.', 'From 1 attempt, of which 0 succeeded.', '')
    """
    return f"From {counted(attempts, 'attempt')}, of which {won} succeeded{_last(last_at_ms)}." if attempts else ""


def command(text: str, worked: int, tried: int, episodes: Sequence[str], failure: str, last_at_ms: int) -> str:
    """Return a command that worked, and when it last did; *failure* is how it failed the latest time it did.

    >>> command("python -m pytest -q", 5, 6, ["e1", "e2", "e3"], "no module named pytest", 1_764_460_800_000)
    '- `python -m pytest -q` worked 5 of 6 times, last on 2025-11-30; failed with `no module named pytest` [e1, e2]'
    """
    but = f"; failed with {quoted(failure)}" if failure else ""
    named = ", ".join(map(cut_id, episodes[:MAX_IDS]))
    return f"- `{text}` worked {worked} of {counted(tried, 'time')}{_last(last_at_ms, 'last')}{but} [{named}]"


def change(error: str, key: str, did: str, episode_id: str) -> str:
    """Return an error and the change after which it was gone, with where that was."""
    return f"- {quoted(error)} in {key} was gone after {_short(did)} [{cut_id(episode_id)}]"


def solved(task: str, did: Sequence[str], episode_id: str, failed: Sequence[str]) -> str:
    """Return a task with the change that solved it, and that of an attempt that failed.

    >>> solved("Totals are off", ["cart.py:7: + round(total, 2)"], "e1", ["cart.py:7: + int(total)"])
    '- “Totals are off”: cart.py:7: + round(total, 2); an attempt that did not succeed: cart.py:7: + int(total) [e1]'
    """
    but = f"; an attempt that did not succeed: {_short('; '.join(failed))}" if failed else ""
    return f"- {_task(task)}: {_short('; '.join(did))}{but} [{cut_id(episode_id)}]"


def unsolved(task: str, attempts: int, alike: int, there: int, did: Sequence[str], episode_id: str) -> str:
    """Return a task that nobody managed, and what was tried, by how many of the attempts *alike*, and by how many at that place.

    >>> unsolved("Totals are off", 2, 2, 2, ["cart.py:7: + int(total)"], "e1")
    '- “Totals are off”: 2 attempts, none succeeded; both changed cart.py:7: + int(total) [e1]'
    >>> [unsolved("", 3, n, n, ["a"], "e")[34:-4] for n in (1, 2, 3)]
    ['one changed a', 'two changed a', 'all changed a']
    >>> unsolved("", 3, 2, 3, ["a"], "e")[34:-4]
    'all changed the same place, two of them so: a'
    """
    who = (
        f"{_of(alike, attempts)} changed" if there == alike else f"{_of(there, attempts)} changed the same place, {_of(alike)} of them so:"
    )
    return f"- {_task(task)}: {counted(attempts, 'attempt')}, none succeeded; {who} {_short('; '.join(did))} [{cut_id(episode_id)}]"


def _of(n: int, among: int = 0) -> str:
    return "one" if n == 1 else "both" if n == among == 2 else "all" if n == among else _NUMBERS.get(n, str(n))


def _last(at_ms: int, word: str = "the last") -> str:
    return f", {word} on {day_of(at_ms)}" if at_ms else ""


def _task(task: str) -> str:
    return f"“{shorten(' '.join(task.replace('```', ' ').split()), MAX_TASK_CHARS)}”"


def _short(text: str) -> str:
    return shorten(" ".join(text.split()), MAX_CHANGE_CHARS)
