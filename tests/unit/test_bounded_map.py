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
    kept: BoundedMap[bytes, int] = BoundedMap(5, len)
    for key in (b"12", b"123", b"12", b"1234"):  # the second time nothing is added to the weight
        kept.put(key, len(key))
    assert list(kept) == [b"1234"]
    kept.put(b"1", 1)
    assert list(kept) == [b"1234", b"1"]
    kept.pop(b"1234")
    kept.put(b"123", 3)
    assert list(kept) == [b"1", b"123"]
    kept.put(b"123456", 6)
    assert not list(kept)
    kept.clear()
    kept.put(b"12345", 5)
    assert list(kept) == [b"12345"]


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
