"""A metric over time, its breaks, and clusters of similar tasks. The breaks and clusters are computed by the worker process."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from typing import Any, Protocol

import numpy as np

from mcp_memory.domain.episode import Json, Trace
from mcp_memory.domain.filtering import admits
from mcp_memory.domain.query import Filter
from mcp_memory.domain.reports import Changepoint, Holdout, SeriesPoint, TaskCluster, Trends
from mcp_memory.errors import InvalidInput
from mcp_memory.ports import VectorRow

MIN_EPISODES = 10  # fewer have no trend, and no process is started for them
BY_WORDS = "most tasks have no embedding: they are clustered by their words"
SURROUNDING = 50  # episodes on each side that a break's levels are taken from, at most

Analyse = Callable[[str, Any], Any]  # (module:function, payload) -> its answer; `AnalysisWorker.call`


class ReadVectors(Protocol):
    """`Store.vectors`."""

    def __call__(self, space: str, *, after_rowid: int = 0) -> tuple[list[VectorRow], int]: ...


def trends(
    traces: Iterable[Trace],
    where: Filter,
    *,
    tool: str,
    metric: str,
    bucket: str,
    analyse: Analyse,
    sample_threshold: int = 1_000,
    vectors: Callable[[Sequence[str]], Mapping[str, np.ndarray]] | None = None,
    holdout: Holdout | None = None,
) -> Trends:
    """Return how *metric* went over time, per bucket, with its changepoints and the clusters of tasks.

    Args:
        traces: Completed episodes with their steps, in any order.
        where: Which of them; also used by the agents' tool, so an empty field does not restrict.
        tool: Only episodes that used this tool (`tool` or `tool:action`); `errors` then counts only its failures. Empty: all.
        metric: success_rate, reward, duration (ms, median of a bucket) or errors (failed steps an episode).
        bucket: day or week (from Monday), UTC.
        analyse: Runs a function in the worker process.
        sample_threshold: Clustering samples above this many episodes.
        vectors: Gives the tasks' vectors by episode id. Episodes without one are in no cluster; when most have none, words are compared
            instead. `degraded` says so.
        holdout: The control group's report, passed through.

    Raises:
        InvalidInput: Unknown metric or bucket.
        AnalysisFailed: The worker process failed.
    """
    if metric not in _VALUES or bucket not in ("day", "week"):
        raise InvalidInput(f"there is no metric {metric!r} by {bucket!r}")
    chosen = sorted((t for t in traces if admits(where, t) and (not tool or _uses(t, tool))), key=lambda t: (t.ended_at_ms, t.id))
    values = [_VALUES[metric](t, tool) for t in chosen]
    points: tuple[Changepoint, ...] = ()
    clusters: tuple[TaskCluster, ...] = ()
    degraded: tuple[str, ...] = ()
    if len(chosen) >= MIN_EPISODES:
        points = _changepoints(chosen, values, metric, analyse)
        known = vectors([t.id for t in chosen]) if vectors else {}
        missing = sum(t.id not in known for t in chosen)
        by_words = missing > len(chosen) / 2
        if missing:
            degraded = (BY_WORDS if by_words else f"episodes that are not embedded yet, and are in no cluster: {missing}",)
        clustered = chosen if by_words else [t for t in chosen if t.id in known]
        payload = _cluster_payload(clustered, sample_threshold, {} if by_words else known)
        found = analyse("mcp_memory.learning.reports.clustering:cluster", payload)
        clusters = tuple(TaskCluster(**cluster | {"example_ids": tuple(cluster["example_ids"])}) for cluster in found)
    return Trends(_series(chosen, values, metric, bucket), points, clusters, holdout, degraded)


def task_vectors(read: ReadVectors, space: str, ids: Collection[str]) -> dict[str, np.ndarray]:
    """Return the stored vectors of the episodes' tasks by id, float32; those without one are left out. 115 ms per 100,000 stored rows.

    Args:
        read: `Store.vectors`.
        space: Whose vectors; empty: nothing is read.
        ids: Episodes wanted.
    """
    found: dict[str, np.ndarray] = {}
    rowid, wanted = 0, set(ids)
    while space and len(found) < len(wanted):
        rows, rowid = read(space, after_rowid=rowid)
        if not rows:
            break
        tasks = (r for r in rows if r.part == 0 and r.episode_id in wanted)
        found |= {r.episode_id: np.frombuffer(r.codes, np.int8).astype(np.float32) * r.scale for r in tasks}
    return found


def _uses(trace: Trace, tool: str) -> bool:
    return any(_is_tool(key, tool) for key in trace.step_keys)


def _is_tool(key: str, tool: str) -> bool:
    return key == tool or key.startswith(tool + ":")


def _errors(trace: Trace, tool: str) -> float:
    return float(sum(bool(f) and (not tool or _is_tool(k, tool)) for k, f in zip(trace.step_keys, trace.step_failed, strict=True)))


_VALUES: Mapping[str, Callable[[Trace, str], float]] = {
    "success_rate": lambda trace, tool: float(trace.success),
    "reward": lambda trace, tool: trace.reward,
    "duration": lambda trace, tool: float(max(0, trace.ended_at_ms - trace.started_at_ms)),
    "errors": _errors,
}


def _level(values: Sequence[float], metric: str) -> float:
    """Return what stands for several episodes: the median duration (one long night says nothing), else the mean."""
    return round(median(values) if metric == "duration" else fmean(values), 4)


def _series(chosen: Sequence[Trace], values: Sequence[float], metric: str, bucket: str) -> tuple[SeriesPoint, ...]:
    buckets: dict[str, list[float]] = {}
    for trace, value in zip(chosen, values, strict=True):
        buckets.setdefault(_start(trace.ended_at_ms, bucket), []).append(value)
    return tuple(SeriesPoint(start, _level(group, metric), len(group)) for start, group in buckets.items())


def _start(at_ms: int, bucket: str) -> str:
    """Return the day, or the Monday of the week, as an ISO date."""
    day = _utc(at_ms).date()
    return (day - timedelta(days=day.weekday() if bucket == "week" else 0)).isoformat()


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _changepoints(chosen: Sequence[Trace], values: Sequence[float], metric: str, analyse: Analyse) -> tuple[Changepoint, ...]:
    # Durations differ by factors, so their breaks are looked for in logarithms.
    series = [math.log1p(v) for v in values] if metric == "duration" else list(values)
    starts = analyse("mcp_memory.learning.reports.changepoints:find", {"values": series})
    edges = [0, *starts, len(values)]
    return tuple(
        Changepoint(
            at=_utc(chosen[start].ended_at_ms).isoformat(timespec="seconds").replace("+00:00", "Z"),
            episode_id=chosen[start].id,
            before=_level(values[max(edges[i], start - SURROUNDING) : start], metric),
            after=_level(values[start : min(edges[i + 2], start + SURROUNDING)], metric),
        )
        for i, start in enumerate(starts)
    )


def _cluster_payload(chosen: Sequence[Trace], sample_threshold: int, vectors: Mapping[str, np.ndarray]) -> dict[str, Json]:
    return {
        "ids": [t.id for t in chosen],
        "texts": [t.task for t in chosen],
        "contexts": [" · ".join(part for part in (t.domain, t.framework) if part) for t in chosen],
        "successes": [t.success for t in chosen],
        "rewards": [t.reward for t in chosen],
        "vectors": b"".join(vectors[t.id].tobytes() for t in chosen) if vectors else b"",
        "sample_threshold": sample_threshold,
    }
