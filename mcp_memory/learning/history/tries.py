"""What was tried in a state, and what worked there: the newest comparable tries count most. Pure.

A step that failed counts little, and its weight goes to what then worked, as far as its tool has been failing there lately: so a tool
that was renamed, or arguments that changed, are followed after a few episodes although everybody still tries the old way first.
"""

import math
from dataclasses import dataclass

import numpy as np

from mcp_memory.learning.history.recency import tracked, worked_share
from mcp_memory.views.columns import Bools, Floats, Ints, fading
from mcp_memory.views.experience import Experience

FAILED_NEXT = 0.1  # what a continuation that failed counts
CREDIT_POWER = 0.5  # of how often a tool fails lately, by which what then worked gets the weight of its failure
HOLDS_POWER = 2.0  # of how well a tool still works as it used to, by which its earlier uses count
WORKED_POWER = 1.0  # of the share of a tool's tries that worked
HALF_TRIES = 2.0  # newer tries of the tool after which one counts half
PSEUDO_TRIES = 0.5  # that worked, of every tool
HALF_EXAMPLE = 1.0  # the same, for which one is shown
NEGLIGIBLE = 1e-3  # share of the heaviest weight below which a step is not looked at
_RARE = 1e-6


@dataclass(frozen=True, slots=True)
class Tries:
    """Parallel columns, oldest first; a failed step that was overcome stands twice, as itself and as what overcame it."""

    tool: Ints
    step: Ints  # the step that shows it: of what overcame a failure, the one that did
    row: Ints  # of the episode
    weight: Floats  # the heaviest comparable step has 1
    scale: float  # what a weight of 1 counts
    worked: Floats  # per tool, the share of its tries here that worked

    def counts(self, usual: Floats) -> Floats:
        """Return what each tool counts as a continuation that works; *usual* are its chances before any try."""
        return np.asarray(tracked(self.tool, self.weight, np.maximum(usual, _RARE), self.row) * self.scale * self.worked**WORKED_POWER)

    def examples(self, tool: int) -> Ints:
        """Return the steps that show *tool* in use here, the best first: heavy and recent."""
        mine = np.flatnonzero(self.tool == tool)[::-1]
        weight = fading(np.zeros(len(mine), np.int64), self.weight[mine], HALF_EXAMPLE)
        return self.step[mine[np.argsort(-weight, kind="stable")]]


def tries_of(x: Experience, steps: Ints, row: Ints, weight: Floats, n_tools: int) -> Tries:
    """Return what *steps* tried.

    Args:
        x: All completed episodes.
        steps: Step numbers, one for each comparable state, in order.
        row: The episode of each.
        weight: How comparable each state was, at least 0.
        n_tools: Tools there are, with those of the present run alone.
    """
    heaviest = max(float(weight.max(initial=0.0)), 1e-12)
    near = np.flatnonzero(weight > NEGLIGIBLE * heaviest)
    near = near[np.lexsort((steps[near], x.ended_at_ms[row[near]]))]
    at, weight, row = steps[near], weight[near] / heaviest, row[near]
    tool, failed = x.step_tool[at].astype(np.int64), x.step_failed[at]
    overcome, by, shown = _overcome(x, at, failed)
    lately, ever = (worked_share(tool, weight, ~failed, half, np.ones(n_tools), PSEUDO_TRIES) for half in (HALF_TRIES, math.inf))
    holds = np.minimum(1.0, lately / ever) ** HOLDS_POWER
    own = weight * np.where(failed, FAILED_NEXT, 1.0) * holds[tool]
    credit = np.where(overcome, weight * (1.0 - lately[tool]) ** CREDIT_POWER, 0.0)
    both = [np.stack(pair, axis=1).ravel() for pair in ((tool, by), (at, shown), (row, row), (own, credit))]
    said = both[3] > 0
    return Tries(both[0][said], both[1][said], both[2][said], both[3][said], heaviest, ever)


def _overcome(x: Experience, at: Ints, failed: Bools) -> tuple[Bools, Ints, Ints]:
    """Return which of the steps failed and were overcome, by what tool, and the number of the step that shows it."""
    failures = x.failures
    if not len(failures):
        return np.zeros(len(at), np.bool_), np.zeros(len(at), np.int64), at
    first = x.first[failures.row]
    failed_at = first + failures.index  # ascending
    found = np.minimum(np.searchsorted(failed_at, at), len(failed_at) - 1)
    known = failed & (failed_at[found] == at) & (failures.fix[found] >= 0)
    return known, np.where(known, failures.fix[found], 0).astype(np.int64), np.where(known, first[found] + failures.example[found], at)
