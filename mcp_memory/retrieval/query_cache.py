"""Answers already given, until the memory changes."""

from collections import OrderedDict
from collections.abc import Hashable

from mcp_memory.domain.query import Ranking


class QueryCache:
    """A bounded least-recently-used map. Its keys hold the version of what they were answered from, so nothing needs invalidating."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[Hashable, Ranking] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Ranking | None:
        """Return the answer kept under *key*, or None."""
        found = self._entries.get(key)
        if found is None:
            self.misses += 1
            return None
        self._entries.move_to_end(key)
        self.hits += 1
        return found

    def put(self, key: Hashable, ranking: Ranking) -> None:
        """Keep an answer; the least recently used one goes when there are too many."""
        self._entries[key] = ranking
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
