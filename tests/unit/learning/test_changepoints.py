"""Breaks in a series."""

import pytest

from mcp_memory.learning.reports.changepoints import find


def wiggle(n: int, level: float) -> list[float]:
    return [level + ((i * 7919) % 13 - 6) / 60 for i in range(n)]


def test_a_lasting_change_of_level_is_found_where_it_happened() -> None:
    assert find({"values": wiggle(30, 0.3) + wiggle(30, 0.8)}) == [30]
    assert find({"values": wiggle(30, 0.3) + wiggle(20, 0.8) + wiggle(30, 0.1)}) == [30, 50]


def test_a_share_of_successes_that_changes_is_found() -> None:
    values = [float(i % 5 == 0) for i in range(60)] + [float(i % 6 != 0) for i in range(60)]
    (at,) = find({"values": values})
    assert abs(at - 60) <= 3


@pytest.mark.parametrize("values", [[], [1.0], [0.5] * 100, wiggle(100, 0.5), [*wiggle(40, 0.5), 3.0, *wiggle(40, 0.5)]])
def test_a_steady_series_has_none(values: list[float]) -> None:
    assert find({"values": values}) == []


def test_a_long_series_is_answered_in_its_own_positions() -> None:
    (at,) = find({"values": wiggle(5_000, 0.2) + wiggle(5_000, 0.9)})
    assert abs(at - 5_000) <= 8
