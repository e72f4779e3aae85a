"""What the memory-mapped cache does with a damaged, deleted, truncated, foreign or shared file."""

import multiprocessing
import os
import random
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import lmdb
import pytest

from mcp_memory.storage import lmdb_cache
from mcp_memory.storage.lmdb_cache import LmdbCache
from mcp_memory.storage.lmdb_environment import Environment

MAX_BYTES = 8 * 1024 * 1024
KEYS = [b"%05d" % i for i in range(2_000)]


def filled(folder: Path) -> LmdbCache:
    cache = LmdbCache(folder, MAX_BYTES)
    cache.put_many("n", [(key, key * 50) for key in KEYS])
    cache.flush()
    return cache


def right_or_missing(cache: LmdbCache) -> int:
    """Return how many keys are there; assert that none is wrong."""
    found = cache.get_many("n", KEYS)
    assert all(value in (None, key * 50) for key, value in zip(KEYS, found, strict=True))
    return sum(value is not None for value in found)


def test_entries_survive_a_restart(tmp_path: Path) -> None:
    filled(tmp_path).close()
    cache = LmdbCache(tmp_path, MAX_BYTES)
    assert right_or_missing(cache) == len(KEYS)
    assert cache.stats().rebuilt == ""
    cache.close()


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    cache = LmdbCache(tmp_path, MAX_BYTES)
    cache.put_many("n", [(b"a", b"1")])
    cache.close()
    again = LmdbCache(tmp_path, MAX_BYTES)
    assert again.get_many("n", [b"a"]) == [b"1"]
    again.close()


def test_what_is_put_one_after_another_is_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[list[bytes]] = []
    forgot = threading.Event()
    cache, write = LmdbCache(tmp_path, MAX_BYTES), Environment.write

    def noted(environment: Environment, items: Sequence[tuple[bytes, bytes | None]]) -> int:
        batches.append([key for key, _ in items])
        if any(value is None for _, value in items):
            forgot.set()
        return write(environment, items)

    monkeypatch.setattr(Environment, "write", noted)
    monkeypatch.setattr(lmdb_cache, "LINGER_S", 60.0)
    for key in (b"a", b"b", b"c"):
        cache.put_many("n", [(key, b"1")])
    cache.flush()
    assert batches == [[b"n\0a", b"n\0b", b"n\0c"]]
    cache.put_many("n", [(b"d", b"1")])
    cache.delete_many("n", [b"d"])
    assert forgot.wait(30), "a deletion is not put off"
    cache.close()


def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8192)  # behind the two head pages
        file.write(os.urandom(path.stat().st_size - 8192))


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be changed there")
@pytest.mark.parametrize("damage", [overwrite, truncate, empty, scribble])
def test_a_damaged_file_is_rebuilt_and_it_is_said(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    filled(tmp_path).close()
    damage(tmp_path / "data.mdb")
    cache = LmdbCache(tmp_path, MAX_BYTES)
    assert right_or_missing(cache) == 0
    cache.put_many("n", [(b"new", b"1")])
    cache.flush()
    assert cache.get_many("n", [b"new"]) == [b"1"]
    if damage is not empty:  # an empty file is simply a new one
        assert "fills again" in str(cache.stats().rebuilt)
    cache.close()


@pytest.mark.parametrize("seed", range(5))
def test_flipped_bytes_never_give_a_wrong_value(tmp_path: Path, seed: int) -> None:
    filled(tmp_path).close()
    path, dice = tmp_path / "data.mdb", random.Random(seed)
    with path.open("r+b") as file:
        for _ in range(60):
            file.seek(dice.randrange(8192, path.stat().st_size - 64))
            file.write(dice.randbytes(64))
    cache = LmdbCache(tmp_path, MAX_BYTES)
    right_or_missing(cache)
    cache.put_many("n", [(key, key * 50) for key in KEYS])
    cache.flush()
    cache.put_many("n", [(key, key * 50) for key in KEYS])
    cache.flush()
    assert right_or_missing(cache) > 0
    cache.close()


@pytest.mark.parametrize("spoiled", [b"", b"abc", (1).to_bytes(8, "big") + b"\0\0\0\0" + b"of another's place"])
def test_an_entry_with_a_wrong_head_is_missed_dropped_and_in_nobodys_way(tmp_path: Path, spoiled: bytes) -> None:
    filled(tmp_path).close()
    with lmdb.open(str(tmp_path), max_dbs=4) as file, file.begin(write=True) as txn:
        txn.put(b"n\0" + KEYS[7], spoiled, db=file.open_db(b"data", txn))
    cache = LmdbCache(tmp_path, MAX_BYTES)
    assert right_or_missing(cache) == len(KEYS) - 1
    assert cache.stats().errors == 1
    cache.drop([entry.handle for entry in cache.walk() if entry.value is None])
    cache.flush()
    assert [entry for entry in cache.walk() if entry.value is None] == []
    cache.put_many("n", [(KEYS[7], KEYS[7] * 50)])
    cache.flush()
    assert right_or_missing(cache) == len(KEYS)
    cache.close()


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be deleted there")
def test_a_file_deleted_while_in_use_is_made_anew(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    (tmp_path / "data.mdb").unlink()
    cache.put_many("n", [(b"new", b"1")])
    cache.flush()
    assert (tmp_path / "data.mdb").exists()
    assert cache.get_many("n", [b"new"]) == [b"1"]
    assert "deleted" in str(cache.stats().rebuilt)
    cache.close()


def test_a_folder_that_cannot_be_used_means_misses(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = LmdbCache(tmp_path / "file", MAX_BYTES)
    cache.put_many("n", [(b"a", b"1")])
    assert cache.get_many("n", [b"a"]) == [None]
    stats = cache.stats()
    assert stats.errors
    assert "cannot be opened" in str(stats.rebuilt)
    cache.close()


def test_an_item_too_large_for_the_file_is_left_out(tmp_path: Path) -> None:
    cache = LmdbCache(tmp_path, MAX_BYTES)
    cache.put_many("n", [(b"small", b"1")])
    cache.put_many("n", [(b"huge", b"x" * MAX_BYTES)])
    cache.flush()
    assert cache.get_many("n", [b"small", b"huge"]) == [b"1", None]
    cache.close()


def _put_and_read(folder: str, number: int, start: "multiprocessing.synchronize.Event") -> None:
    start.wait(30)
    cache = LmdbCache(folder, MAX_BYTES)
    for i in range(50):
        cache.put_many(f"n{number}", [(b"%d" % i, b"%d" % number)])
        if i % 10 == 0:
            cache.flush()
    cache.close()


def test_several_processes_share_one_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    workers = [context.Process(target=_put_and_read, args=(str(tmp_path), n, start)) for n in range(3)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    cache = LmdbCache(tmp_path, MAX_BYTES)
    for n in range(3):
        assert cache.get_many(f"n{n}", [b"%d" % i for i in range(50)]) == [b"%d" % n] * 50
    cache.close()


def test_a_key_put_again_while_it_waits_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_cache, "MAX_PENDING_BYTES", 100_000)
    gate, write = threading.Event(), LmdbCache._write
    monkeypatch.setattr(LmdbCache, "_write", lambda self, items: gate.wait(30) and write(self, items))
    cache = LmdbCache(tmp_path, MAX_BYTES)
    for i in range(300):
        cache.put_many("n", [(b"same", b"%03d" % i * 500)])
    assert cache.stats().dropped == 0
    gate.set()
    cache.flush()
    cache.put_many("n", [(b"large", b"x" * 90_000)])
    cache.flush()
    assert cache.stats().dropped == 0
    assert cache.get_many("n", [b"same", b"large"]) == [b"299" * 500, b"x" * 90_000]
    cache.close()


def test_a_deletion_is_never_dropped_however_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, write = threading.Event(), LmdbCache._write
    cache = LmdbCache(tmp_path, MAX_BYTES)
    cache.put_many("n", [(b"forgotten", b"what must not stay"), (b"kept", b"1")])
    cache.flush()
    monkeypatch.setattr(lmdb_cache, "MAX_PENDING_BYTES", 10_000)
    monkeypatch.setattr(LmdbCache, "_write", lambda self, items: gate.wait(30) and write(self, items))
    cache.put_many("n", [(b"%04d" % i, b"x") for i in range(3_000)])
    assert cache.stats().dropped
    cache.delete_many("n", [b"forgotten"])
    assert cache.get_many("n", [b"forgotten", b"kept"]) == [None, b"1"]
    gate.set()
    cache.flush()
    assert b"forgotten" not in [entry.key for entry in cache.walk()]
    cache.close()
