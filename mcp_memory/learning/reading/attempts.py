"""Earlier attempts at a task as routes of tools, and how routes are aligned. Pure."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

from mcp_memory.domain.episode import Trace

MAX_ROUTE = 80  # tools of one route, repetitions in a row taken as one


@dataclass(frozen=True, slots=True)
class Attempt:
    """A completed episode with its steps, seen from a task."""

    trace: Trace
    similarity: float  # of its task, in [0, 1]
    route: tuple[str, ...]
    weight: float  # how much it has to say: alike and rewarded


def attempt(trace: Trace, similarity: float) -> Attempt:
    """Return *trace* as an attempt at a task that is so alike; the route of a success holds no call that failed."""
    worked = (k for k, f in zip(trace.step_keys, trace.step_failed, strict=False) if not f) if trace.success else trace.step_keys
    route = tuple(key for key, _ in groupby(worked))[:MAX_ROUTE]
    return Attempt(trace, similarity, route, max(0.01, similarity) * max(0.01, trace.reward))


def common(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence of *a* and *b*. O(len(a) * len(b)).

    >>> common("abcd", "bxd")
    [(1, 0), (3, 2)]
    """
    lengths = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = lengths[i], lengths[i + 1]
        for j in range(len(b) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if a[i] == b[j] else max(below[j], row[j + 1])
    pairs, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
