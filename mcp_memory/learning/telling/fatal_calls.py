"""Calls that went well themselves and stand in failures alone: a volume is deleted, and the deployment after it fails. Pure.

Told with its counts: of what several attempts at a task did that failed, and none that worked.
"""

from collections.abc import Sequence

import numpy as np

from mcp_memory.domain.answers import StepWarning
from mcp_memory.domain.episode import Step
from mcp_memory.domain.fingerprints import exact_number
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_roles import Role, role_of, runs_tests
from mcp_memory.phrases import advice as phrases
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

MIN_INDEPENDENT = 2  # attempts that failed, from which a call may be why
MAX_EVIDENCE = 3


def is_telling(key: str) -> bool:
    """Return whether a call of a tool can be why an attempt failed: looking and testing decide nothing."""
    return role_of(key) is Role.ACTS and not runs_tests(key)


def outnumber(failures: int, of: int) -> bool:
    """Return whether so many *of* the failures made a call that, where no success did, it may be why."""
    return failures >= MIN_INDEPENDENT and 2 * failures >= of


def only_in_failures(x: Experience, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]], intended: Step) -> StepWarning | None:
    """Return a warning where the very call that is *intended* went well in failures at this task, and no success made it."""
    tool, says = x.tools.find(intended.key), any(str(value).strip() for value in intended.arguments.values())
    if tool < 0 or not says or not is_telling(intended.key):
        return None
    steps = np.flatnonzero((x.step_tool == tool) & (x.step_exact == exact_number(intended)))
    rows = x.rows_at(steps)
    at_this = (x.spread(neighbours) >= SAME_TASK) & (x.context_weights(standpoint) > 0)
    made, worked = np.unique(rows), np.unique(rows[~x.step_failed[steps]])
    bad = worked[at_this[worked] & ~x.success[worked]]
    failures, successes = int((at_this & ~x.success).sum()), int((at_this & x.success).sum())
    if not successes or bool((at_this & x.success)[made].any()) or not outnumber(len(bad), failures):
        return None
    evidence = tuple(x.trace(int(row)).id for row in bad[-MAX_EVIDENCE:])
    return StepWarning(phrases.only_in_failures(intended.key, len(bad), failures, successes), len(bad), len(bad), evidence, None)


def fatal_steps(x: Experience, near: Sequence[tuple[str, float]]) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the steps of failures among *near* that went well and no success has, each with how many failures have it, by episode.

    Cost: a pass over the steps of these episodes.
    """
    rows = [row for key, similarity in near if similarity >= SAME_TASK and (row := x.row(key)) is not None]
    good, bad = ([row for row in rows if bool(x.success[row]) is won] for won in (True, False))
    if not good or len(bad) < MIN_INDEPENDENT:
        return {}
    made = {call for row in good for call in _calls(x, row).values()}
    by_row = {row: {i: call for i, call in _calls(x, row).items() if call not in made} for row in bad}
    times: dict[tuple[int, int], int] = {}
    for calls in by_row.values():
        for call in set(calls.values()):
            times[call] = times.get(call, 0) + 1
    return {
        x.trace(row).id: tuple((i, times[call]) for i, call in calls.items() if _went_well(x, row, i) and outnumber(times[call], len(bad)))
        for row, calls in by_row.items()
    }


def _calls(x: Experience, row: int) -> dict[int, tuple[int, int]]:
    """Return the calls of an episode that tell, each as its tool and arguments, by its step."""
    steps = x.steps_of(row)
    calls = zip(x.step_tool[steps].tolist(), x.step_exact[steps].tolist(), strict=True)
    return {i: call for i, call in enumerate(calls) if is_telling(str(x.tools.value(call[0])))}


def _went_well(x: Experience, row: int, i: int) -> bool:
    return not bool(x.step_failed[int(x.first[row]) + i])
