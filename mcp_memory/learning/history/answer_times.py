"""How long the answers to errors took, by what their evidence says."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from mcp_memory.domain.pattern import Evidence
from mcp_memory.views.experience import Experience
from mcp_memory.views.kept import Kept

MAX_KEPT = 10_000  # answers; one is a number


class AnswerTimes:
    """Follows an `Experience`: the evidence of an answer is read once until an episode comes or goes."""

    def __init__(self, experience: Experience) -> None:
        self._known: Kept[tuple[str, ...], tuple[float | None]] = Kept(experience, MAX_KEPT)

    def of(self, pattern_ids: Sequence[str], evidence: Callable[[], Iterable[Evidence]]) -> float | None:
        """Return the median time that an answer took, in milliseconds, None where no run measured it.

        Args:
            pattern_ids: The patterns that the answer is.
            evidence: Reads all there is of them.
        """
        return self._known.get(tuple(pattern_ids), lambda: (_median(evidence()),))[0]


def _median(evidence: Iterable[Evidence]) -> float | None:
    known = [e.detail["duration_ms"] for e in evidence if e.success and e.detail.get("duration_ms") is not None]
    return float(median(known)) if known else None
