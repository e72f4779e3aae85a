"""The chance that a task succeeds, from how tasks like it went.

Kernel-weighted nearest neighbours, shrunk towards the base rate of the context, which is itself shrunk step by step towards the
memory's overall rate. The constants are round numbers that leave-one-out over four kinds of agents' memories could not tell from the
best (docs/measurements.md); no further calibration helped there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.domain.query import Outlook
from mcp_memory.learning.history.beliefs import Beliefs
from mcp_memory.views.columns import Floats, Ints
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

WIDTH = 0.12  # of the kernel on task similarity
TAGS = 3.0  # nats between equal and disjoint tags
UNKNOWN_PRIOR = 2.0  # pseudo-episodes of an even chance, before anything is known (Laplace)
LEVEL_PRIOR = 5.0  # pseudo-episodes of the wider context's rate
TASK_PRIOR = 1.0  # pseudo-episodes of the context's rate against the similar tasks
MIN_COUNTED = 0.5  # similarity from which an episode is reported as a basis
SIMILAR, BASE_RATE = "similar tasks", "base rate"  # what an outlook rests on


@dataclass(frozen=True, slots=True)
class Estimate:
    """A probability and its parts."""

    probability: float
    evidence: float  # kernel weight of the similar episodes, in episodes
    based_on: int
    succeeded: int  # of these


class OutlookEstimator:
    """Estimates from an `Experience`."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience

    def outlook(self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]]) -> Outlook | None:
        """Return the chance of success; None while the project has no completed attempt."""
        seen = self._x.in_project(standpoint.project) & self._x.attempt
        if not seen.any():
            return None
        estimate = self.estimate(standpoint, neighbours)
        evidence = SIMILAR if estimate.based_on else BASE_RATE
        return Outlook(round(estimate.probability, 4), estimate.based_on, evidence, succeeded=estimate.succeeded)

    def estimate(self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]]) -> Estimate:
        """Return the probability with its parts. One pass over the episodes' columns."""
        x = self._x
        seen = (x.in_project(standpoint.project) & x.attempt).astype(np.float64)
        success = x.derived(Beliefs).of(standpoint.project)
        levels = (np.ones(len(seen), bool), *x.levels(standpoint))
        base, prior = 0.5, UNKNOWN_PRIOR
        for level, inner in zip(levels, (*levels[1:], None), strict=True):
            weight = seen * (level if inner is None else level & ~inner)  # an episode counts once, at its innermost level
            base = (float(weight @ success) + prior * base) / (float(weight.sum()) + prior)
            prior = LEVEL_PRIOR
        rows, similarity = x.rows_of(neighbours)
        kernel = self._kernel(standpoint, rows, similarity, seen)
        total = float(kernel.sum())
        probability = (float(kernel @ success[rows]) + TASK_PRIOR * base) / (total + TASK_PRIOR)
        counted = rows[(similarity >= MIN_COUNTED) & x.attempt[rows]]
        return Estimate(probability, total, len(counted), int(x.success[counted].sum()))

    def _kernel(self, standpoint: Standpoint, rows: Ints, similarity: Floats, seen: Floats) -> Floats:
        """Return what each neighbour counts, one number a row."""
        x = self._x
        near = np.where(similarity > 0, np.exp((similarity - 1.0) / WIDTH), 0.0)
        kernel: Floats = seen[rows] * near * np.exp(TAGS * (x.tag_overlap(standpoint.tags)[rows] - 1.0))
        return kernel
