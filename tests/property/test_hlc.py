"""The hybrid logical clock, whatever the wall clock does."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain import hlc

WALL_MS = st.integers(0, 2**46)


@given(st.lists(WALL_MS, min_size=1, max_size=50))
def test_readings_only_grow_and_are_never_behind_the_wall_clock(walls_ms: list[int]) -> None:
    last = 0
    for now_ms in walls_ms:
        reading = hlc.following(last, now_ms)
        assert reading > last
        assert reading >> hlc.COUNT_BITS >= now_ms
        assert reading < 2**63  # as SQLite keeps it
        last = reading


@given(WALL_MS, st.integers(1, 1000))
def test_a_clock_that_stands_still_counts_and_one_that_moves_on_is_followed(now_ms: int, times: int) -> None:
    reading = 0
    for _ in range(times):
        reading = hlc.following(reading, now_ms)
    assert reading >> hlc.COUNT_BITS == now_ms
    assert hlc.following(reading, now_ms + 1) == (now_ms + 1) << hlc.COUNT_BITS
