"""Counters and latencies by name: percentiles of the last observations, computed on demand, and histograms since the start."""

import threading
import time
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

_WINDOW = 2048  # observations kept per operation: enough for a p99, 16 KiB each
BOUNDS_MS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)


class Histogram(NamedTuple):
    """All durations of one operation since the start.

    `at_most` counts, for each of `BOUNDS_MS` and at last for all, the durations up to it; `sum_ms` is their sum.
    """

    at_most: list[int]
    sum_ms: float


class Gauge(NamedTuple):
    """A value as it is now, of one of several things of a kind."""

    name: str
    help: str
    label: str  # what kind the things are of
    of: str  # which of them
    value: float


class _Timings:
    """What is kept of one operation."""

    def __init__(self) -> None:
        self.last_ms: deque[float] = deque(maxlen=_WINDOW)
        self.by_bucket = [0] * (len(BOUNDS_MS) + 1)
        self.sum_ms = 0.0


class Metrics:
    """Thread-safe counters and timings; recording costs about a microsecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._timings: dict[str, _Timings] = {}
        self._followers: tuple[Callable[[str, float], None], ...] = ()
        self._gauges: Callable[[], Sequence[Gauge]] = tuple

    def follow(self, follower: Callable[[str, float], None]) -> None:
        """Call *follower* with every operation's name and duration from now on, in the thread that timed it, at once."""
        self._followers = (*self._followers, follower)

    def offer(self, gauges: Callable[[], Sequence[Gauge]]) -> None:
        """Let *gauges* be called from any thread by whoever wants the values of the moment."""
        self._gauges = gauges

    def gauges(self) -> Sequence[Gauge]:
        """Return the values of the moment, in order of their names."""
        return sorted(self._gauges())

    def count(self, name: str, by: int = 1) -> None:
        """Add *by* to the counter *name*."""
        with self._lock:
            self._counts[name] += by

    def observe(self, name: str, duration_ms: float) -> None:
        """Record one duration of operation *name*."""
        with self._lock:
            timings = self._timings.get(name)
            if timings is None:
                timings = self._timings[name] = _Timings()
            timings.last_ms.append(duration_ms)
            timings.by_bucket[bisect_left(BOUNDS_MS, duration_ms)] += 1
            timings.sum_ms += duration_ms
        for follower in self._followers:
            follower(name, duration_ms)

    def timed(self, name: str) -> "_Timer":
        """Record how long the block took, also when it raises."""
        return _Timer(self, name)

    def counters(self) -> Mapping[str, int]:
        """Return all counters."""
        with self._lock:
            return dict(self._counts)

    def latencies_ms(self) -> dict[str, dict[str, float]]:
        """Return p50, p95, p99 (of the last 2,048) and the count since start, per operation."""
        with self._lock:
            windows = {name: sorted(timings.last_ms) for name, timings in self._timings.items()}
            totals = {name: sum(timings.by_bucket) for name, timings in self._timings.items()}
        return {name: percentiles(values) | {"count": totals[name]} for name, values in windows.items()}

    def histograms(self) -> dict[str, Histogram]:
        """Return the histogram of every operation."""
        with self._lock:
            return {name: Histogram(list(accumulate(each.by_bucket)), each.sum_ms) for name, each in self._timings.items()}


class _Timer:
    """What `Metrics.timed` returns. A generator's context would cost more than all that is recorded."""

    __slots__ = ("_metrics", "_name", "_started")

    def __init__(self, metrics: Metrics, name: str) -> None:
        self._metrics, self._name = metrics, name

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._metrics.observe(self._name, (time.perf_counter() - self._started) * 1000)


def percentiles(ordered: list[float]) -> dict[str, float]:
    """Return p50, p95 and p99 of an ascending list by the nearest-rank method."""
    last = len(ordered) - 1
    return {f"p{q}": round(ordered[min(last, int(len(ordered) * q / 100))], 3) for q in (50, 95, 99)}
