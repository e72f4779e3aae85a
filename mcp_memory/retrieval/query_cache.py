"""Answers already given, until the memory changes."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")
KEPT_SEARCHES = 64  # of each kind, until the next change


class QueryCache(Generic[V]):
    """A bounded least-recently-used map. Either its keys hold the version of what they were answered from, or it is cleared."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[Hashable, V] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> V | None:
        """Return the answer kept under *key*, or None."""
        found = self._entries.get(key)
        if found is None:
            self.misses += 1
            return None
        self._entries.move_to_end(key)
        self.hits += 1
        return found

    def put(self, key: Hashable, answer: V) -> None:
        """Keep an answer; the least recently used one goes when there are too many."""
        self._entries[key] = answer
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget all answers."""
        self._entries.clear()
