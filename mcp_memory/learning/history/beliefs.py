"""How far an episode is believed to have succeeded: what was said of it, what its kind does as a rule, and what its own steps show.

An outcome is one witness, and witnesses err: a test that was never run, a label on the wrong attempt. What is said counts in full where it
is what such episodes usually come to and its steps do not deny it; an unexpected outcome counts less (Dawid and Skene, Applied
Statistics 28, 1979, with one observer whose rate of errors is given).
"""

import math

import numpy as np

from mcp_memory.domain.episode import USUAL_QUALITY
from mcp_memory.views.columns import Floats
from mcp_memory.views.experience import Experience

ERRORS = 0.03  # of outcomes that are said
SOUND = 4.0  # nats between steps that could not look better and steps that could not look worse
PRIOR = 5.0  # pseudo-episodes of the project's rate against the domain's
EVEN = 2.0  # pseudo-episodes of an even chance, before anything is known (Laplace)


class Beliefs:
    """Answers from an `Experience`; what it has worked out is kept until an episode comes or goes."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._at = (0, 0)
        self._known: dict[str, Floats] = {}

    def of(self, project: str) -> Floats:
        """Return for every episode the chance that it succeeded; only those that the project sees say what is usual."""
        x = self._x
        if self._at != (now := (len(x.success), x.removals)):
            self._at, self._known = now, {}
        if project not in self._known:
            self._known[project] = self._believed(project)
        return self._known[project]

    def _believed(self, project: str) -> Floats:
        x = self._x
        said, seen = x.success, (x.in_project(project) & x.attempt).astype(np.float64)
        overall = (float(seen @ said) + EVEN / 2) / (float(seen.sum()) + EVEN)
        good, all_ = (np.bincount(x.domain, weights=w) for w in (seen * said, seen))
        usual = ((good + PRIOR * overall) / (all_ + PRIOR))[x.domain]
        witness = math.log((1.0 - ERRORS) / ERRORS)
        nats = np.log(usual / (1.0 - usual)) + np.where(said, witness, -witness) + SOUND * (x.soundness - USUAL_QUALITY)
        return np.asarray(1.0 / (1.0 + np.exp(-nats)))
