"""What the successes at several tasks like the one at hand did alike, with placeholders for what differs from task to task. Pure."""

import re
from collections.abc import Mapping, Sequence

from mcp_memory.domain.episode import Episode, Json, Step
from mcp_memory.learning.reading.alike_calls import in_common
from mcp_memory.learning.reading.calls_told import call_told
from mcp_memory.learning.reading.file_uses import words_of
from mcp_memory.learning.telling.acts import MAX_CALL_CHARS, acts_but_tests
from mcp_memory.learning.telling.examples import PLACEHOLDER
from mcp_memory.phrases import points as phrases

MIN_TASKS = 2
MAX_CALLS = 3
_WORD = re.compile(r"[^\W\d_]{2,}")


def done_alike(won: Sequence[Episode], lost: Sequence[Episode]) -> str:
    """Return the calls that most successes made but for their tasks' own values, "" where none is worth a line.

    Args:
        won: Successes, the nearest first.
        lost: Failures at such tasks: what they did as well says nothing.
    """
    others = list({episode.task: episode for episode in reversed(won[1:]) if episode.task != won[0].task}.values()) if won else []
    of = len(others) + 1
    if of < MIN_TASKS:
        return ""
    found: dict[str, int] = {}
    theirs = list(map(_acting, others))
    for step in _acting(won[0]):
        shared, times = _folded(step, theirs)
        if times >= MIN_TASKS and 2 * times > of and _tells(step, shared) and not any(_made(step, shared, episode) for episode in lost):
            found[call_told(step, MAX_CALL_CHARS, shared)] = times
    calls = list(found)[-MAX_CALLS:]
    return phrases.did_alike(calls, min(found[call] for call in calls), of) if calls else ""


def _acting(episode: Episode) -> list[Step]:
    return [step for i in acts_but_tests(episode) if not (step := episode.steps[i]).description]


def _folded(step: Step, others: Sequence[Sequence[Step]]) -> tuple[Mapping[str, Json], int]:
    """Return what of a call's arguments the calls of others share, and in how many episodes that is, its own among them."""
    shared: Mapping[str, Json] = step.arguments
    times = 1
    for calls in others:
        for other in calls:
            if other.key == step.key and (both := in_common(shared, other.arguments)) and _tells(step, both):
                shared, times = both, times + 1
                break
    return shared, times


def _made(step: Step, shared: Mapping[str, Json], episode: Episode) -> bool:
    alike = (in_common(shared, other.arguments) for other in episode.steps if other.key == step.key and not other.failed)
    return any(both == shared for both in alike)


def _tells(step: Step, shared: Mapping[str, Json]) -> bool:
    """Return whether a value is left that says more than what the call is called."""
    left = _WORD.findall(PLACEHOLDER.sub(" ", " ".join(map(str, shared.values()))).casefold())
    return not set(left) <= words_of(step.key)
