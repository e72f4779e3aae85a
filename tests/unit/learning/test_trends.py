"""A metric over time."""

from collections.abc import Sequence
from typing import Any

import pytest

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.query import Filter
from mcp_memory.domain.reports import Changepoint, SeriesPoint
from mcp_memory.errors import InvalidInput
from mcp_memory.learning.reports.trends import task_vectors, trends
from mcp_memory.ports import VectorRow

DAY_MS = 86_400_000
MONDAY_MS = 1_767_571_200_000  # 2026-01-05T00:00:00Z
ALL = Filter()


def trace(i: int, *, success: bool = True, domain: str = "ops", keys: tuple[str, ...] = ("bash:ls",), failed: bytes = b"\0") -> Trace:
    end = MONDAY_MS + i * DAY_MS
    kind, reward = ("success", 0.9) if success else ("failure", 0.1)
    return Trace(i, f"e{i:03}", "p", f"task {i}", "other", domain, "", "", (), "", kind, reward, end - 1_000 * (i + 1), end, keys, failed)


class Analyst:
    """Answers as the worker process would, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, function: str, payload: Any) -> Any:
        self.asked.append((function, payload))
        return (
            [12]
            if "changepoints" in function
            else [{"label": "x", "size": 3, "success_rate": 0.5, "mean_reward": 0.5, "example_ids": ["e000"]}]
        )


def ask(
    traces: list[Trace], where: Filter = ALL, *, analyse: Any = None, metric: str = "success_rate", bucket: str = "day", tool: str = ""
) -> Any:
    return trends(traces, where, tool=tool, metric=metric, bucket=bucket, analyse=analyse or Analyst())


def test_values_are_gathered_by_day_and_by_week() -> None:
    rows = [trace(0), trace(0, success=False), trace(1), trace(8)]
    assert ask(rows).series == (
        SeriesPoint("2026-01-05", 0.5, 2),
        SeriesPoint("2026-01-06", 1.0, 1),
        SeriesPoint("2026-01-13", 1.0, 1),
    )
    assert [s.start for s in ask(rows, bucket="week").series] == ["2026-01-05", "2026-01-12"]


def test_each_metric_is_computed_from_its_own_field() -> None:
    rows = [trace(0, keys=("bash:ls", "edit"), failed=b"\1\1"), trace(0, keys=("bash:ls", "edit"), failed=b"\1\0")]
    values = {m: ask(rows, metric=m).series[0].value for m in ("reward", "duration", "errors")}
    assert values == {"reward": 0.9, "duration": 1_000.0, "errors": 1.5}
    assert ask(rows, metric="errors", tool="edit").series[0].value == 0.5


def test_filters_and_tools_restrict() -> None:
    rows = [trace(0), trace(1, domain="data"), trace(2, keys=("edit",))]
    assert sum(s.count for s in ask(rows, Filter(domain="ops")).series) == 2
    assert sum(s.count for s in ask(rows, tool="bash").series) == 2
    assert sum(s.count for s in ask(rows, tool="bas").series) == 0
    assert sum(s.count for s in ask(rows, Filter(since_ms=MONDAY_MS + DAY_MS, until_ms=MONDAY_MS + 2 * DAY_MS)).series) == 1


def test_breaks_say_when_and_from_what_to_what() -> None:
    answer = ask([trace(i, success=i >= 12) for i in range(24)])
    assert answer.changepoints == (Changepoint("2026-01-17T00:00:00Z", "e012", before=0.0, after=1.0),)
    assert answer.clusters[0].label == "x"


def test_few_episodes_start_no_process() -> None:
    analyst = Analyst()
    answer = ask([trace(i) for i in range(9)], analyse=analyst)
    assert analyst.asked == []
    assert (answer.changepoints, answer.clusters) == ((), ())


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(InvalidInput):
        ask([], metric="speed")


def test_stored_vectors_are_used_where_most_episodes_have_one_and_words_otherwise() -> None:
    rows = [trace(i) for i in range(24)]
    pages = [[VectorRow(i, f"e{i:03}", part, 0.5, bytes([2, 4])) for i in range(24) for part in (0, 1)], []]

    def read(space: str, *, after_rowid: int = 0) -> tuple[list[VectorRow], int]:
        return pages[after_rowid], after_rowid + 1

    most = {f"e{i:03}" for i in range(13)}
    for missing, size_bytes, said in ((set[str](), 24 * 2 * 4, ""), ({"e003"}, 23 * 2 * 4, "cluster: 1"), (most, 0, "by their words")):
        analyst = Analyst()

        def vectors(ids: Sequence[str], missing: set[str] = missing) -> dict[str, Any]:
            return task_vectors(read, "local", [i for i in ids if i not in missing])

        answer = trends(
            rows,
            ALL,
            tool="",
            metric="reward",
            bucket="day",
            analyse=analyst,
            vectors=vectors,
        )
        assert len(analyst.asked[1][1]["vectors"]) == size_bytes
        assert len(analyst.asked[1][1]["ids"]) == (size_bytes // 8 or 24)
        assert [said in reason for reason in answer.degraded] == ([True] if said else [])
    assert task_vectors(read, "local", ["e001"])["e001"].tolist() == [1.0, 2.0]
    assert task_vectors(read, "", ["e001"]) == {}
