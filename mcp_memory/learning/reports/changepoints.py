"""Breaks in a series over time, by PELT. Runs in the worker process: it may take a second.

Source: R. Killick, P. Fearnhead, I. A. Eckley, Optimal detection of changepoints with a linear computational cost, JASA 107 (2012).
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

MIN_SEGMENT = 5  # values; a shorter stretch is an outlier
MAX_VALUES = 4_000  # more are averaged in equal blocks first
PENALTY = 3.0  # times variance times log(n); BIC's 2 for a change of mean, and something for not knowing the variance


def find(payload: dict[str, Any]) -> list[int]:
    """Return the positions at which a new level begins, in order.

    Args:
        payload: `values`, a list of numbers in order of time; `penalty`, optional.
    """
    values = np.asarray(payload["values"], np.float64)
    block = max(1, math.ceil(len(values) / MAX_VALUES))
    means = np.array([part.mean() for part in np.array_split(values, math.ceil(len(values) / block))]) if len(values) else values
    if len(means) < 2 * MIN_SEGMENT or not np.ptp(means):
        return []
    # Half the mean squared difference of neighbours (von Neumann 1941): unlike the variance, a jump hardly moves it.
    noise = float(np.mean(np.diff(means) ** 2) / 2)
    penalty = payload.get("penalty", PENALTY) * noise * math.log(len(means))
    starts = np.cumsum([0, *(len(part) for part in np.array_split(values, len(means)))])
    return [int(starts[break_]) for break_ in _breaks(means, penalty)]


def _breaks(values: npt.NDArray[np.float64], penalty: float) -> list[int]:
    """Return where to cut *values* so that squared deviations from the parts' means, and a penalty for each cut, are least.

    All starts of the last part that may still win are tried at once; one that is worse by more than a cut can win back never does.
    """
    count = len(values)
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (values, values**2))
    best = np.full(count + 1, np.inf)
    best[0] = -penalty
    before = np.zeros(count + 1, np.int64)
    starts = np.zeros(0, np.int64)
    for end in range(MIN_SEGMENT, count + 1):
        starts = np.append(starts, end - MIN_SEGMENT)
        costs = best[starts] + squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        at = int(costs.argmin())
        best[end], before[end] = costs[at] + penalty, starts[at]
        starts = starts[costs <= best[end]]
    breaks, at = [], count
    while before[at] > 0:
        at = int(before[at])
        breaks.append(at)
    return breaks[::-1]
