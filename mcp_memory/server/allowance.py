"""How many calls one token may make in a minute, so that no client takes what all share."""

import math
import time
from collections.abc import Callable

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.errors import Overloaded

MAX_HOLDERS = 10_000
_MINUTE_S = 60.0


class Allowance:
    """A bucket a holder: it fills evenly, and holds a minute's calls."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """*per_minute*: 0 is without limit."""
        self._per_minute, self._clock = per_minute, clock
        self._left: BoundedMap[str, tuple[float, float]] = BoundedMap(MAX_HOLDERS)  # holder → (calls left, when that was so)

    def take(self, holder: str) -> None:
        """Count one call of *holder*. Raises Overloaded, with when to call again: it has made too many."""
        if not self._per_minute:
            return
        now = self._clock()
        left, at = self._left.get(holder) or (float(self._per_minute), now)
        left = min(float(self._per_minute), left + (now - at) * self._per_minute / _MINUTE_S)
        if left < 1:
            wait_s = math.ceil((1 - left) * _MINUTE_S / self._per_minute)
            raise Overloaded(f"this token may make {self._per_minute} calls a minute", hint=f"Call again in {wait_s} s.")
        self._left.put(holder, (left - 1, now))
