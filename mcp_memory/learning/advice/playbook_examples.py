"""The arguments that a playbook's steps show: of the best attempt at the task, of other tasks what several of them share. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mcp_memory.domain.answers import PlaybookStep
from mcp_memory.domain.episode import Episode, Json, Trace
from mcp_memory.domain.fingerprints import unpack
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_keys import joined
from mcp_memory.learning.reading.alike_calls import in_common
from mcp_memory.learning.reading.attempts import attempt, common
from mcp_memory.learning.telling.examples import arguments_of, example_of
from mcp_memory.learning.telling.told_attempts import ReadEpisodes

MAX_SEARCHED = 400  # steps of one run in which the playbook's are looked for: aligning costs the product of both lengths
MAX_SOUGHT = 50  # attempts in which arguments are looked for
MAX_EXAMPLE_CHARS = 200  # of one text in the arguments of a step
Runs = Sequence[tuple[Trace, float]]


def with_examples(
    steps: Sequence[PlaybookStep], runs: Runs, task: str, read_episodes: ReadEpisodes, showable: Callable[[str, int], bool]
) -> tuple[PlaybookStep, ...]:
    """Return the steps of a playbook with arguments to show.

    Args:
        steps: The playbook's.
        runs: What it was made from.
        task: Whose values may be shown.
        read_episodes: Reads episodes with their steps.
        showable: Whether the arguments of a step of an episode may be shown.
    """
    found = sources(steps, runs, showable)
    ids = list(dict.fromkeys(key for places in found for key, _ in places))
    read = dict(zip(ids, read_episodes(ids), strict=True))
    same = {trace.id for trace, similarity in runs if similarity >= SAME_TASK}  # of other tasks their files and texts say nothing here

    def example(places: Sequence[tuple[str, int]]) -> Mapping[str, Json] | None:
        (key, index), *others = places
        first, *given = [_arguments(read[key], index) for key, index in places]
        if others and key not in same and (shared := in_common(first, *given)):
            known = "\n".join([task, *map(str, shared.values())])  # what several tasks' runs were given is of no case
            return example_of(shared, MAX_EXAMPLE_CHARS, known, alike=True)
        return arguments_of(read[key], index, MAX_EXAMPLE_CHARS, task, alike=key in same)

    return tuple(replace(step, arguments_example=example(places)) if places else step for step, places in zip(steps, found, strict=True))


def sources(
    steps: Sequence[PlaybookStep], runs: Runs, showable: Callable[[str, int], bool] = lambda _id, _index: True
) -> list[tuple[tuple[str, int], ...]]:
    """Return for each step of a playbook where it was done best: (episode id, step index), none where no success did it in that order.

    Where successes at several tasks took it two of them, the best first, with the same arguments if most had these: what two share is of
    no case.

    Args:
        steps: The playbook's.
        runs: What it was made from.
        showable: Whether the arguments of a step of an episode may be shown.
    """
    keys = [joined(s.tool, s.action) for s in steps]
    good = sorted((attempt(t, s) for t, s in runs if t.success and t.step_keys), key=lambda r: (-r.weight, r.trace.id))
    found: list[list[_Use]] = [[] for _ in keys]
    for run in good[:MAX_SOUGHT]:
        exact, _ = unpack(str(run.trace.digest.get("args", "")), len(run.trace.step_keys))
        for place, index in common(keys, run.trace.step_keys[:MAX_SEARCHED]):
            if not run.trace.step_failed[index] and showable(run.trace.id, index):
                found[place].append(_Use((run.trace.id, index), exact[index], run.trace.task))
    return [_shared(uses) or _of_two_tasks(uses) for uses in found]


class _Use(NamedTuple):
    at: tuple[str, int]
    exact: int  # number of its arguments, -1: not known
    task: str


def _of_two_tasks(uses: Sequence[_Use]) -> tuple[tuple[str, int], ...]:
    other = next((use for use in uses if use.task != uses[0].task), None)
    return tuple(use.at for use in (*uses[:1], *([other] if other else [])))


def _shared(uses: Sequence[_Use]) -> tuple[tuple[str, int], ...]:
    """Return two of the uses that have the same arguments, of other tasks, where most have; none without."""
    counts = Counter(use.exact for use in uses if use.exact >= 0)
    exact, times = max(counts.items(), key=lambda item: item[1], default=(-1, 0))
    same = [use for use in uses if use.exact == exact]
    other = next((use for use in same if use.task != same[0].task), None) if 2 * times > len(uses) else None
    return (same[0].at, other.at) if other else ()


def _arguments(episode: Episode | None, index: int) -> Mapping[str, Json]:
    return episode.steps[index].arguments if episode is not None and index < len(episode.steps) else {}
