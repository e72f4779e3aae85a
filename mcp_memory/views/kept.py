"""What was worked out from an `Experience` and is true until an episode comes or goes."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.views.experience import Experience

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most so many answers by what was asked, the least recently asked for going first; none outlives a change of the experience.

    Used while reading the views only.
    """

    def __init__(self, experience: Experience, max_entries: int) -> None:
        self._x, self._max_entries = experience, max_entries
        self._begin()

    def _begin(self) -> None:
        self._as_of = (self._x.row_count, self._x.removals)
        self._entries: BoundedMap[K, V] = BoundedMap(self._max_entries)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under *key*, else what *make* returns, which is kept from now on."""
        if self._as_of != (self._x.row_count, self._x.removals):
            self._begin()
        known = self._entries.get(key)
        if known is None:
            self._entries.put(key, known := make())
        return known
