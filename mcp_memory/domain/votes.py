"""How votes add up. Explicit votes count fully, implicit ones less; of several explicit votes on one recommendation the latest counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mcp_memory.domain.feedback import Feedback, Recommendation, Verdict

IMPLICIT_WEIGHT = 0.3  # a vote nobody cast: what the steps used, and how it ended
SHRINKAGE = 3.0  # pseudo-votes of "no effect": one vote moves a quarter of the way
UNNAMED_WEIGHT = 0.5  # a vote that names no used ids is shared by all that were shown


@dataclass(frozen=True, slots=True)
class VoteStats:
    """Votes on one episode or pattern."""

    helped: float = 0.0
    hindered: float = 0.0
    shown: int = 0
    used: int = 0


NO_VOTES = VoteStats()


class VoteBook:
    """All votes so far, by recommendation; adding the same vote twice changes nothing."""

    def __init__(self) -> None:
        self._explicit: dict[str, tuple[Feedback, Recommendation]] = {}
        self._implicit: dict[str, tuple[Feedback, Recommendation]] = {}

    def add(self, rows: Iterable[tuple[Feedback, Recommendation]]) -> None:
        """Add votes in the order they were cast."""
        for vote, recommendation in rows:
            (self._implicit if vote.implicit else self._explicit)[vote.recommendation_id] = (vote, recommendation)

    def stats(self) -> Mapping[str, VoteStats]:
        """Return the sums per episode or pattern id. An explicit vote silences the implicit one on the same recommendation."""
        sums: dict[str, list[float]] = {}
        for rec_id, (vote, recommendation) in (self._implicit | self._explicit).items():
            weight = 1.0 if rec_id in self._explicit else IMPLICIT_WEIGHT
            for key in recommendation.shown_ids:
                row = sums.setdefault(key, [0.0, 0.0, 0.0, 0.0])
                row[2] += 1
                row[3] += key in vote.used_ids
            targets = vote.used_ids or recommendation.shown_ids
            share = weight * (vote.rating if vote.rating is not None and vote.verdict is Verdict.HELPED else 1.0)
            share *= 1.0 if vote.used_ids else UNNAMED_WEIGHT / max(1, len(targets))
            for key in targets:
                row = sums.setdefault(key, [0.0, 0.0, 0.0, 0.0])
                row[0] += share * (vote.verdict is Verdict.HELPED)
                row[1] += share * (vote.verdict is Verdict.HINDERED)
        return {key: VoteStats(helped, hindered, int(shown), int(used)) for key, (helped, hindered, shown, used) in sums.items()}


def net_vote(stats: VoteStats) -> float:
    """Return the shrunk net vote in [-1, 1].

    >>> net_vote(VoteStats(helped=1.0))
    0.25
    """
    return (stats.helped - stats.hindered) / (stats.helped + stats.hindered + SHRINKAGE)
