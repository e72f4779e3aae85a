"""Whether what once answered an error still does: of the latest tries of it one must have. Pure.

A program is the same try whatever its arguments; of other tools only the very call is, for their keys say nothing of what was done.
"""

from collections.abc import Sequence

import numpy as np

from mcp_memory.domain.episode import Step
from mcp_memory.domain.fingerprints import exact_number
from mcp_memory.domain.step_keys import is_shell, tool_and_action
from mcp_memory.views.columns import Bools, Ints
from mcp_memory.views.experience import Experience
from mcp_memory.views.kept import Kept

LATEST_TRIES = 2
MAX_ERRORS = 40  # of the episodes at hand
MAX_KEPT = 10_000  # errors; few have more than one answer
NOTHING = -1


def next_tried(x: Experience, numbers: Ints) -> Ints:
    """Return the step right after each of the failures *numbers*, `NOTHING` at the end of a run."""
    rows = x.failures.row[numbers]
    return np.where(x.failures.index[numbers] + 1 >= x.length[rows], NOTHING, x.first[rows] + x.failures.index[numbers] + 1)


def are_calls(x: Experience, numbers: Ints, step: Step) -> Bools:
    """Return which of the failures *numbers* are of the very call that *step* made."""
    failures = x.failures
    exact = x.step_exact[x.first[failures.row[numbers]] + failures.index[numbers]]
    found: Bools = (failures.failed[numbers] == x.tools.find(step.key)) & (exact == exact_number(step))
    return found


def outlived(x: Experience, numbers: Ints) -> Bools:
    """Return which of the failures *numbers*, all with one error, were answered by what answers it no longer.

    Cost: a pass over the failures for each of their answers.
    """
    rows, by = x.failures.row[numbers], x.failures.by_index[numbers]
    tried, answers = _deeds(x, next_tried(x, numbers)), _deeds(x, np.where(by < 0, NOTHING, x.first[rows] + by))
    newest = np.lexsort((x.failures.index[numbers], x.ended_at_ms[rows]))
    stale = np.zeros(len(numbers), np.bool_)
    for deed in np.unique(answers[by >= 0]):
        latest = newest[((tried == deed) | (answers == deed))[newest]][-LATEST_TRIES:]
        if not (answers[latest] == deed).any():
            stale |= answers == deed
    return stale & (by >= 0)


class StaleAnswers:
    """Answers from an `Experience`; what it has worked out of an error is kept until an episode comes or goes."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._known: Kept[tuple[str, int, int], Ints] = Kept(experience, MAX_KEPT)  # by project, tool and error

    def of(self, ids: Sequence[str], project: str) -> frozenset[tuple[str, int]]:
        """Return the steps of some episodes that answered an error which they answer no longer in the project.

        Cost: a pass over all failures for each error that one of them answered, once.
        """
        x, failures = self._x, self._x.failures
        rows = [row for key in ids if (row := x.row(key)) is not None]
        of_rows = zip(*(np.searchsorted(failures.row, rows, side).tolist() for side in ("left", "right")), strict=True)
        mine = np.array([at for first, last in of_rows for at in range(first, last) if failures.by_index[at] >= 0], np.int64)
        errors = sorted(set(zip(failures.failed[mine].tolist(), failures.signature[mine].tolist(), strict=True)))[:MAX_ERRORS]
        stale = [at for failed, sig in errors for at in self.to(project, failed, sig).tolist() if failures.row[at] in rows]
        return frozenset((x.trace(int(failures.row[at])).id, int(failures.by_index[at])) for at in stale)

    def to(self, project: str, failed: int, sig: int) -> Ints:
        """Return the failures of a tool with one error in the project that were answered by what answers it no longer."""
        x, failures = self._x, self._x.failures

        def stale() -> Ints:
            same = (failures.failed == failed) & (failures.signature == sig) & x.in_project(project)[failures.row]
            numbers = np.flatnonzero(same)
            return numbers[outlived(x, numbers)]

        return self._known.get((project, failed, sig), stale)


def _deeds(x: Experience, steps: Ints) -> Ints:
    """Return a number for what each step did; 0 where there is none."""
    there = np.maximum(steps, 0)
    exact = x.step_exact[there].astype(np.int64)
    tools, at = np.unique(x.step_tool[there], return_inverse=True)
    programs = np.array([is_shell(tool_and_action(str(x.tools.value(int(number))))[0]) for number in tools], np.bool_)
    found: Ints = np.where(steps < 0, 0, np.where(programs[at] | (exact < 0), -1 - tools[at].astype(np.int64), 1 + exact))
    return found
