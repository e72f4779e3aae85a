"""What every Cache promises: the memory-mapped one and the fake."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_memory.ports import Cache
from mcp_memory.storage.lmdb_cache import LmdbCache
from mcp_memory.testing import InMemoryCache

MAX_BYTES = 4 * 1024 * 1024


@pytest.fixture(params=["memory", "lmdb", "lmdb, flushed"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cache]:
    made: Cache = InMemoryCache(MAX_BYTES) if request.param == "memory" else LmdbCache(tmp_path, MAX_BYTES)
    yield made
    made.close()


@pytest.fixture
def settle(cache: Cache, request: pytest.FixtureRequest) -> Callable[[], None]:
    """Bring what was put into the file, for the variant that reads from there."""
    if isinstance(cache, LmdbCache) and request.node.callspec.params["cache"] == "lmdb, flushed":
        return cache.flush
    return lambda: None


def test_values_come_back_in_order_and_none_where_missing(cache: Cache, settle: Callable[[], None]) -> None:
    cache.put_many("n", [(b"a", b"1"), (b"b", b""), (b"\0" * 500, b"long key")])
    settle()
    assert cache.get_many("n", [b"b", b"x", b"a", b"\0" * 500, b"a"]) == [b"", None, b"1", b"long key", b"1"]
    assert cache.get_many("n", []) == []


def test_namespaces_are_apart(cache: Cache, settle: Callable[[], None]) -> None:
    cache.put_many("n", [(b"a", b"1")])
    cache.put_many("m", [(b"a", b"2")])
    settle()
    assert cache.get_many("n", [b"a"]) == [b"1"]
    assert cache.get_many("m", [b"a"]) == [b"2"]
    assert cache.get_many("o", [b"a"]) == [None]


def test_the_last_value_put_counts(cache: Cache, settle: Callable[[], None]) -> None:
    cache.put_many("n", [(b"a", b"1"), (b"a", b"2")])
    settle()
    cache.put_many("n", [(b"a", b"3" * 10_000)])
    settle()
    assert cache.get_many("n", [b"a"]) == [b"3" * 10_000]


def test_a_walk_meets_everything_that_was_written_once(cache: Cache) -> None:
    items = [(b"%04d" % number, b"value %d" % number) for number in range(1_200)]
    cache.put_many("n", items)
    cache.put_many("m", [(b"a\0b", b"")])
    if isinstance(cache, LmdbCache):
        cache.flush()
    assert sorted(entry[:3] for entry in cache.walk()) == [("m", b"a\0b", b""), *(("n", key, value) for key, value in items)]


def test_what_a_walk_met_is_dropped_by_its_handle_however_long_its_key(cache: Cache, settle: Callable[[], None]) -> None:
    keys = [b"a", b"\0" * 500, b"b\0b", b"\xff\xfe", b"c\1c", b"kept"]
    cache.put_many("n", [(key, b"value") for key in keys])
    cache.put_many("m" * 300, [(b"k" * 300, b"value")])
    if isinstance(cache, LmdbCache):
        cache.flush()
    met = list(cache.walk())
    assert len(met) == len(keys) + 1
    cache.drop(entry.handle for entry in met if entry.key != b"kept")
    settle()
    assert cache.get_many("n", keys) == [None] * (len(keys) - 1) + [b"value"]
    assert cache.get_many("m" * 300, [b"k" * 300]) == [None]


def test_deleted_keys_are_gone(cache: Cache, settle: Callable[[], None]) -> None:
    cache.put_many("n", [(b"a", b"1"), (b"b", b"2")])
    settle()
    cache.delete_many("n", [b"a", b"absent"])
    settle()
    assert cache.get_many("n", [b"a", b"b"]) == [None, b"2"]


def test_the_oldest_entries_make_room(cache: Cache, settle: Callable[[], None]) -> None:
    for i in range(40):
        cache.put_many("n", [(b"%d" % i, bytes([i]) * 300_000)])
        settle()
    if isinstance(cache, LmdbCache):
        cache.flush()
    stats = cache.stats()
    assert stats.evictions
    assert (stats.used_bytes or 0) <= (stats.max_bytes or 0)
    found = cache.get_many("n", [b"%d" % i for i in range(40)])
    there = [i for i, value in enumerate(found) if value is not None]
    assert 39 in there
    assert 0 not in there
    assert there == list(range(there[0], 40))
    assert all(value in (None, bytes([i]) * 300_000) for i, value in enumerate(found))


def test_hits_and_misses_are_counted(cache: Cache, settle: Callable[[], None]) -> None:
    cache.put_many("n", [(b"a", b"1")])
    settle()
    cache.get_many("n", [b"a", b"b", b"c"])
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.errors, stats.rebuilt) == (1, 2, 0, "")
    assert None not in (stats.entries, stats.used_bytes, stats.max_bytes, stats.evictions)


def test_a_closed_cache_closes_again(cache: Cache) -> None:
    cache.close()
    cache.close()
