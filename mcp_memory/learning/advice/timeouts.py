"""That calls of the same program took too long in earlier attempts at the task, too, and what of it went through there."""

import re
from collections.abc import Sequence

import numpy as np

from mcp_memory.domain.answers import StepWarning
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.telling.same_case import are_the_task
from mcp_memory.learning.telling.told_attempts import MAX_READ, ReadEpisodes
from mcp_memory.learning.telling.went_through import in_another
from mcp_memory.phrases import advice as phrases
from mcp_memory.views.experience import Experience

MIN_RUNS, MIN_CALLS = 2, 3  # attempts, and calls in them, that timed out
MAX_EVIDENCE = 3
TIMED_OUT = re.compile(r"\btimed? ?out\b", re.I)
_VERSION = re.compile(r"(?<=[a-z])\d(?:\.\d+)*\b")  # of a program, in its name


def timed_out_too(
    x: Experience, read: ReadEpisodes, neighbours: Sequence[tuple[str, float]], episode: Episode, *, only_with_way: bool = False
) -> tuple[StepWarning, ...]:
    """Return a warning where the last step is a command that timed out, as several of that program did in several attempts at the task.

    Attempts without such a command are counted, too; up to twelve are read for what went through. *only_with_way*: where that is told.
    """
    last = episode.steps[-1]
    if not is_shell(last.tool) or not TIMED_OUT.search(message_of(last)):
        return ()
    family = _VERSION.sub("", last.key)
    keys = [number for number in range(len(x.tools)) if _VERSION.sub("", str(x.tools.value(number))) == family]
    near = np.flatnonzero(x.spread(neighbours) >= SAME_TASK).tolist()
    rows = [row for row, is_one in zip(near, are_the_task(episode.task, [x.trace(row).task for row in near]), strict=True) if is_one]
    slow = {row: n for row in rows if (n := _slow(x, row, keys))}
    times = sum(slow.values())
    if len(slow) < MIN_RUNS or times < MIN_CALLS:
        return ()
    ids = [x.trace(row).id for row in (*slow, *(row for row in rows if row not in slow))]
    went = in_another([one for one in read(ids[:MAX_READ]) if one is not None], last)
    if not went and (only_with_way or x.success[list(slow)].any()):
        return ()  # it was not what decided
    message = phrases.timed_out_too(last.key, times, len(slow), len(rows), went)
    return (StepWarning(message, times, times, tuple(ids[:MAX_EVIDENCE]), None),)


def _slow(x: Experience, row: int, keys: Sequence[int]) -> int:
    """Return how many calls of these tools timed out in an episode."""
    steps = x.steps_of(row)
    at = dict(zip(x.step_position[steps].tolist(), x.step_tool[steps].tolist(), strict=True))
    return sum(at.get(position) in keys and TIMED_OUT.search(said) is not None for position, said in x.trace(row).errors)
