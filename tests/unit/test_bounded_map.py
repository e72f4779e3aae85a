"""The one map with a bound."""

import sys
from concurrent.futures import ThreadPoolExecutor

from mcp_memory.domain.bounded_map import BoundedMap


def test_the_least_recently_used_entry_goes_first() -> None:
    kept: BoundedMap[str, int] = BoundedMap(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert (kept.get("b"), kept.get("a")) == (None, 1)
    assert list(kept) == ["c", "a"]
    assert (kept.hits, kept.misses, len(kept)) == (2, 1, 2)


def test_putting_again_replaces_and_counts_as_use() -> None:
    kept: BoundedMap[str, int] = BoundedMap(2)
    for key, value in (("a", 1), ("b", 2), ("a", 10), ("c", 3)):
        kept.put(key, value)
    assert [(key, kept.get(key)) for key in list(kept)] == [("a", 10), ("c", 3)]


def test_a_map_of_no_entries_keeps_nothing() -> None:
    kept: BoundedMap[str, int] = BoundedMap(0)
    kept.put("a", 1)
    assert "a" not in kept
    assert kept.get("a") is None


def test_none_may_be_kept() -> None:
    kept: BoundedMap[str, None] = BoundedMap(1)
    kept.put("a", None)
    assert "a" in kept
    assert kept.get("a") is None
    assert (kept.hits, kept.pop("a"), len(kept), kept.pop("a")) == (1, None, 0, None)


def test_entries_that_are_weighed_go_when_together_they_weigh_too_much() -> None:
    kept: BoundedMap[str, int] = BoundedMap(5, lambda weight: weight)
    for key, weight in (("a", 2), ("b", 3), ("a", 1), ("c", 1)):
        kept.put(key, weight)
    assert list(kept) == ["b", "a", "c"]  # what is replaced weighs no longer
    kept.put("d", 2)
    assert list(kept) == ["a", "c", "d"]
    kept.pop("d")
    kept.put("e", 3)
    assert list(kept) == ["a", "c", "e"]
    kept.put("f", 6)
    assert not list(kept)
    kept.clear()
    kept.put("g", 5)
    assert list(kept) == ["g"]


def test_threads_may_use_it_at_once() -> None:
    kept: BoundedMap[int, int] = BoundedMap(2)
    often = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(_use, kept) for _ in range(4)]:
                done.result()
    finally:
        sys.setswitchinterval(often)
    assert len(kept) <= 2


def _use(kept: BoundedMap[int, int]) -> None:
    for n in range(20_000):
        kept.put(n % 3, n)
        kept.get((n + 1) % 3)
        assert len(list(kept)) <= 3
