"""What all votes add up to, by the episode or pattern they are about."""

from collections.abc import Iterable, Mapping, Sequence

from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.votes import NO_VOTES, VoteBook, VoteStats, net_vote

Cast = tuple[Feedback, Recommendation]  # a vote, and what it is about


class Votes:
    """Sums and votes per shown id. What was deleted keeps its votes until the next start."""

    def __init__(self) -> None:
        self._book = VoteBook()
        self._stats: Mapping[str, VoteStats] = {}
        self._net: dict[str, float] = {}
        self._cast: dict[str, list[Cast]] = {}

    def add(self, rows: Sequence[Cast]) -> None:
        """Add votes in the order they were cast."""
        self._book.add(rows)
        self._stats = self._book.stats()
        self._net = {key: net_vote(stats) for key, stats in self._stats.items()}
        for row in rows:
            for key in dict.fromkeys(row[1].shown_ids):
                self._cast.setdefault(key, []).append(row)

    def stats(self, key: str) -> VoteStats:
        """Return the sums of the votes on an episode or pattern."""
        return self._stats.get(key, NO_VOTES)

    def nets(self, keys: Iterable[str]) -> list[float]:
        """Return the shrunk net vote in [-1, 1] on each; 0 without votes."""
        return [self._net.get(key, 0.0) for key in keys]

    def most_told(self, prefix: str, limit: int) -> list[str]:
        """Return the ids with a prefix that were told most often, these first."""
        told = [key for key in self._cast if key.startswith(prefix)]
        return sorted(told, key=lambda key: (-len(self._cast[key]), key))[:limit]

    def cast(self, key: str) -> Sequence[Cast]:
        """Return every vote on a recommendation that showed *key*, in the order they were cast."""
        return self._cast.get(key, ())
