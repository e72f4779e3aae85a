"""Growing numpy columns, and values as small integers."""

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_CHUNK = 65_536  # grow by at least this much, so that a large column is not copied often; doubling would stall a large memory


class Column:
    """A one-dimensional array that can be appended to; `values` is a view without a copy."""

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self._buffer: npt.NDArray[Any] = np.zeros(64, dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> npt.NDArray[Any]:
        return self._buffer[: self._size]

    def append(self, value: Any) -> None:
        self.extend((value,))

    def extend(self, values: Sequence[Any]) -> None:
        end = self._size + len(values)
        if end > len(self._buffer):
            grown = np.zeros(max(end, min(2 * len(self._buffer), len(self._buffer) + _CHUNK)), self._buffer.dtype)
            grown[: self._size] = self._buffer[: self._size]
            self._buffer = grown
        self._buffer[self._size : end] = values
        self._size = end


class Interner:
    """Hashable values to integers from 0, in order of first sight; never forgets.

    >>> interner = Interner()
    >>> interner["a"], interner["b"], interner["a"], interner.find("c")
    (0, 1, 0, -1)
    """

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._values: list[Any] = []

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, value: Hashable) -> int:
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self._values)
            self._values.append(value)
        return number

    def find(self, value: Hashable) -> int:
        """Return the number of *value*, -1 when it was never seen."""
        return self._numbers.get(value, -1)

    def value(self, number: int) -> Any:
        return self._values[number]

    def values(self, numbers: npt.NDArray[Any]) -> tuple[Any, ...]:
        """Return the value of each number."""
        return tuple(map(self._values.__getitem__, numbers.tolist()))

    def all(self) -> Iterable[Any]:
        return self._values


def distinct(ascending: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what is in *ascending*, each value once; a tenth of the time of `np.unique`, which cannot know the order.

    >>> distinct(np.array([2, 2, 3, 7, 7])).tolist()
    [2, 3, 7]
    """
    if not len(ascending):
        return ascending
    return ascending[_is_first(ascending)]


def _is_first(grouped: npt.NDArray[Any]) -> Bools:
    """Return which are the first of equals that stand together."""
    found = np.empty(len(grouped), np.bool_)
    found[:1] = True
    np.not_equal(grouped[1:], grouped[:-1], out=found[1:])
    return found


def without(ascending: npt.NDArray[Any], others: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return what is in *ascending* and not in *others*, which ascend, too.

    >>> without(np.array([1, 3, 5]), np.array([2, 3])).tolist()
    [1, 5]
    """
    if not len(others):
        return ascending
    at = np.minimum(np.searchsorted(others, ascending), len(others) - 1)
    return np.asarray(ascending[others[at] != ascending])


def standing_before(group: npt.NDArray[Any], weight: Floats) -> Floats:
    """Return for each the weight that stands before it in its group. Equal groups stand together.

    >>> standing_before(np.array([0, 0, 1]), np.array([1.0, 2.0, 4.0])).tolist()
    [0.0, 1.0, 0.0]
    """
    before = np.cumsum(weight) - weight
    is_first = _is_first(group)
    return np.asarray(before - before[is_first][np.cumsum(is_first) - 1])


def fading(group: npt.NDArray[Any], weight: Floats, half: float) -> Floats:
    """Return the weights, each halved for every *half* of weight that stands before it in its group. Equal groups stand together.

    >>> fading(np.array([0, 0, 1]), np.array([1.0, 1.0, 1.0]), 1.0).tolist()
    [1.0, 0.5, 1.0]
    """
    return np.asarray(weight * 0.5 ** (standing_before(group, weight) / half))
