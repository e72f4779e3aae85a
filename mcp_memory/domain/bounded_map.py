"""The one map with a bound: what is kept because it was used lately, and may be forgotten at any time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedMap(Generic[K, V]):
    """At most so many entries, or so much as they weigh together; the least recently used one goes first. Safe for several threads.

    >>> kept = BoundedMap(2)
    >>> for key in ("a", "b", "c"):
    ...     kept.put(key, key.upper())
    >>> list(kept), kept.get("a"), kept.get("b")
    (['b', 'c'], None, 'B')
    """

    def __init__(self, max_weight: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        """Take how much there may be, in entries, or in what *weigh* returns of a value."""
        self._max_weight, self._weigh, self._weight = max_weight, weigh, 0
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[K]:
        """Yield the keys there are now, the least recently used first."""
        with self._lock:
            return iter(list(self._entries))

    def get(self, key: K) -> V | None:
        """Return what is kept under *key*, which now was used last, or None."""
        with self._lock:
            try:
                self._entries.move_to_end(key)  # one look less than to ask first: a key may be long
            except KeyError:
                self.misses += 1
                return None
            self.hits += 1
            return self._entries[key]

    def put(self, key: K, value: V) -> None:
        """Keep a value; the least recently used ones go when there are too many."""
        with self._lock:
            self._leave(key)
            self._entries[key] = value
            self._weight += self._weigh(value)
            while self._weight > self._max_weight:
                self._weight -= self._weigh(self._entries.popitem(last=False)[1])

    def pop(self, key: K) -> V | None:
        """Forget an entry and return it, None when there was none."""
        with self._lock:
            return self._leave(key)

    def _leave(self, key: K) -> V | None:
        if key not in self._entries:
            return None
        value = self._entries.pop(key)
        self._weight -= self._weigh(value)
        return value

    def clear(self) -> None:
        """Forget all entries; the counts of hits and misses stay."""
        with self._lock:
            self._entries.clear()
            self._weight = 0
