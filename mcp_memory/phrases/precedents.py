"""What earlier attempts at a task did, as sentences. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.nearness import THE_TASK
from mcp_memory.phrases.words import quoted

_MAX_LACKED_CHARS = 160  # of the calls that a failure lacked
_WHICH = re.compile(r"^left undone:|\btests failed\b")  # in what is told of one that succeeded in part


def precedent(
    worked: bool,
    did: Sequence[str],
    came: str,
    times: int = 0,
    attempts: int = 0,
    alike: float = 1.0,
    *,
    partly: bool = False,
    made: bool = False,
    about: str = "",
) -> str:
    """Return what attempts did, and how that ended; how many of those that ended so where *times* says it.

    At this very task, or, where *alike* is below 1, at one that is so much like it, or at one that was *about* the same thing.

    >>> precedent(True, ["edit cart.py:7: + round(total, 2)"], "", 2, 3)
    'Worked at this task (2 of 3 successes found): edit cart.py:7: + round(total, 2)'
    >>> precedent(False, ["finish answer=41"], "Answer is INCORRECT", 1, 1)
    'Did not succeed at this task (the only failed attempt found): finish answer=41 → `Answer is INCORRECT`'
    >>> precedent(True, ["finish answer=42"], "")
    'Worked at this task: finish answer=42'
    >>> precedent(True, ["pay(booking, by=card)"], "", 2, 2, 0.93), precedent(True, ["pay(booking)"], "", alike=0.86)
    ('Worked at tasks like this (2 of 2 successes found): pay(booking, by=card)', 'Worked at a task 86% alike: pay(booking)')
    >>> precedent(False, ["edit app.py: + debug"], "", partly=True)
    'Succeeded in part (not said which) at this task: edit app.py: + debug'
    >>> precedent(False, ["edit app.py: + debug", "left undone: the tests"], "", partly=True)
    'Succeeded in part at this task: edit app.py: + debug; left undone: the tests'
    >>> precedent(False, ["changed cart.py: + round(total)"], "", 2, 2, made=True)
    'Made in this run, too: did not succeed at this task (2 of 2 failed attempts found): changed cart.py: + round(total)'
    >>> precedent(True, ["cancel “XEHM4B”"], "", 1, 1, about="XEHM4B")
    'Worked at a task about the same XEHM4B (the only success found): cancel “XEHM4B”'
    """
    kind = "such" if partly else "failed"
    ended = ("success", "successes") if worked else (f"{kind} attempt", f"{kind} attempts")
    how_many = f" (the only {ended[0]} found)" if times == attempts == 1 else f" ({times} of {attempts} {ended[1]} found)" if times else ""
    part = "" if any(_WHICH.search(line) for line in (*did, came)) else " (not said which)"
    how = "Worked" if worked else f"Succeeded in part{part}" if partly else "Did not succeed"
    how = f"Made in this run, too: {how[0].lower()}{how[1:]}" if made else how
    where = f"{'tasks' if times > 1 else 'a task'} about the same {about}" if about else _where(times, alike)
    said = f"{how} at {where}{how_many}: {'; '.join(did)}"
    return f"{said} → {quoted(came)}" if came else said


def _where(times: int, alike: float) -> str:
    if alike >= 1.0:
        return "this task"
    return "tasks like this" if times > 1 else "a task like this" if alike >= THE_TASK else f"a task {alike:.0%} alike"


def only_here(call: str, failures: int, of: int) -> str:
    """Return what failures did and no success.

    >>> only_here("`rm -r data`", 2, 2)
    'unlike what worked, did `rm -r data` (as 2 of 2 failures)'
    """
    return f"unlike what worked, did {call} (as {failures} of {of} failures)"


def lacked(calls: Sequence[str], worked: Sequence[str]) -> str:
    """Return what a failure did not do of the calls that *worked*: many in long words, which are told of what worked, by their number.

    >>> lacked(["cancel “B7”"], ["cancel “A2”", "cancel “B7”"])
    'unlike what worked, without cancel “B7”'
    >>> long = [f"book cabin={i} passengers={'Ada Boe, ' * 9}" for i in range(3)]
    >>> lacked(long[1:], long), lacked(long[:2], long)
    ('unlike what worked, without the last 2 of its 3 calls', 'unlike what worked, without 2 of its 3 calls')
    """
    said = ", ".join(calls)
    if len(calls) > 1 and len(said) > _MAX_LACKED_CHARS:
        said = f"{'the last ' if [*worked[-len(calls) :]] == [*calls] else ''}{len(calls)} of its {len(worked)} calls"
    return f"unlike what worked, without {said}"


def besides_this_run(call: str) -> str:
    """Return the first call of what worked that the run which asks has not made.

    >>> besides_this_run("cancel “B7”")
    'besides what this run did, cancel “B7”'
    """
    return f"besides what this run did, {call}"


def besides_what_worked(calls: Sequence[str]) -> str:
    """Return what a failure did that did all that worked, too.

    >>> besides_what_worked(["cancel “B7”"])
    'besides what worked, did cancel “B7”'
    """
    return f"besides what worked, did {'; '.join(calls)}"
