"""What successes did that changed no file and gave no answer: their calls by name, or how they ended without one. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.learning.telling.deeds import answer, calls_by_names, done, ended
from mcp_memory.learning.telling.failed_alike import NOT_THE_CASE
from mcp_memory.learning.telling.otherwise import is_done_alike
from mcp_memory.learning.telling.points import MIN_IDLE, Recalled
from mcp_memory.learning.telling.precedents import MAX_TOLD
from mcp_memory.learning.telling.same_case import is_same_case
from mcp_memory.phrases import points as phrases


def told_by_names(
    task: str, attempts: Recalled, among: int, gone: Collection[str] = (), run: Episode | None = None
) -> tuple[Precedent, ...]:
    """Return what those of the attempts that succeeded at other cases of *task* called, the commonest first, each with how many did.

    What the failures among them called by the same names as well is not told: something else decided.

    Args:
        task: The task asked about.
        attempts: Episodes with their steps and how alike their tasks are.
        among: How many succeeded; 0 where there are more than were read, and nothing is counted.
        gone: Tools that work no longer.
        run: The run that asks: what it has called as often itself is not told.
    """
    made = calls_by_names(run, task) if run else Counter[str]()
    won = [one for one in attempts if one[0].success and not (one[0].steps and answer(one[0].steps[-1]))]
    others = [one for one in won if not is_same_case(task, one[0].task)]
    groups: dict[str, list[tuple[Episode, float]]] = {}
    idle: dict[str, list[tuple[Episode, float]]] = {}
    for episode, similarity in others:  # not as of this case, by names
        did = done(episode, SAME_TASK, task, gone)
        if did and made and calls_by_names(episode, task) <= made:
            continue
        for line in did or (ended(episode, SAME_TASK) if all(step.key not in gone for step in episode.steps) else ()):
            (groups if did else idle).setdefault(line, []).append((episode, similarity))
    lost = [episode for episode, _ in attempts if not episode.success]
    groups = {line: same for line, same in groups.items() if not is_done_alike(same[0][0], len(same), len(won), lost, task)}
    for line, same in _alike(idle, len(won)).items():
        as_well = [peer for peer in lost if (how := ended(peer, SAME_TASK)) and line in (*how, phrases.NOTHING_CHANGED)]
        if 2 * len(as_well) * len(won) < len(same) * len(lost) or not as_well:  # else that did not decide
            groups[line] = same
    ranked = sorted(groups.items(), key=lambda item: len(item[1]), reverse=True)[:MAX_TOLD]
    return tuple(
        Precedent(True, (line,), "", len(same) if among else 0, among, same[0][0].id, min(NOT_THE_CASE, round(max(s for _, s in same), 2)))
        for line, same in ranked
    )


def _alike(idle: Mapping[str, list[tuple[Episode, float]]], of: int) -> dict[str, list[tuple[Episode, float]]]:
    """Return how those successes ended that changed nothing, where at least half of all did so: one alone had a reason of its own case."""
    same = list(chain.from_iterable(idle.values()))
    if len(same) < MIN_IDLE or 2 * len(same) < of:
        return {}
    line, most = max(idle.items(), key=lambda item: len(item[1]))
    return {line: most} if len(most) >= MIN_IDLE and 2 * len(most) >= of else {phrases.NOTHING_CHANGED: same}


def changed_nothing_here(won: Sequence[Episode]) -> tuple[Precedent, ...]:
    """Return how the successes at this very case ended that changed nothing, the commonest first, each with how many did so."""
    groups: dict[str, list[Episode]] = {}
    for episode in won:
        for line in ended(episode, SAME_TASK, briefly=True):
            groups.setdefault(line, []).append(episode)
    ranked = sorted(groups.items(), key=lambda item: len(item[1]), reverse=True)[:MAX_TOLD]
    return tuple(Precedent(True, (line,), "", len(same), len(won), same[0].id) for line, same in ranked)
