"""Where in a text a later look has to look again: around the markers that came in. What is far from them was judged before."""

from bisect import bisect_right
from collections.abc import Sequence

REACH = 3_000  # characters: a place further from a marker sees nothing of it, but for the rules that say so
_MOST = 16  # markers: with more of them so near together everything is looked at again


class Near:
    """The stretches of a text that are near its new markers, in order, apart from each other."""

    __slots__ = ("_begins", "_ends")

    def __init__(self, begins: list[int], ends: list[int]) -> None:
        self._begins, self._ends = begins, ends

    def size(self) -> int:
        """Return how many characters are in the stretches."""
        return sum(self._ends) - sum(self._begins)

    def next(self, at: int) -> int:
        """Return *at* where it is near a marker, else the next place that is, -1 where there is none. Some .2 microseconds."""
        index = bisect_right(self._begins, at)
        if index and at < self._ends[index - 1]:
            return at
        return self._begins[index] if index < len(self._begins) else -1

    def end(self, at: int) -> int:
        """Return where the stretch ends that *at* is in, with as much after it as a place in it may see."""
        return self._ends[bisect_right(self._begins, at) - 1] + REACH


def near(markers: Sequence[tuple[int, int]], size: int) -> Near | None:
    """Return what is near *markers*, (start, end) in order, of a text of *size*; None where that is most of it."""
    if len(markers) > _MOST:
        return None
    begins: list[int] = []
    ends: list[int] = []
    for start, end in markers:
        begin = max(0, start - REACH)
        if ends and begin <= ends[-1]:
            ends[-1] = end + REACH
        else:
            begins.append(begin)
            ends.append(end + REACH)
    return Near(begins, ends) if 2 * (sum(ends) - sum(begins)) < size else None
