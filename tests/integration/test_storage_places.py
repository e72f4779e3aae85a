"""Where memory.db cannot be, the cause is said and what to do; nothing is a signal, nothing asks to wait for what waiting does not help."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_memory import bootstrap
from mcp_memory.config_sources import load_config
from mcp_memory.errors import StoreUnusable
from mcp_memory.storage import file_system
from mcp_memory.storage.connection import open_writer, translate
from mcp_memory.storage.file_system import file_system_of

pytestmark = pytest.mark.anyio
FILL = """
import os, sys
from pathlib import Path
from mcp_memory.storage.lmdb_cache import LmdbCache
folder, room = Path(sys.argv[1]), int(sys.argv[2])
disk = os.statvfs(folder)
(folder / "filler").write_bytes(b"x" * max(0, disk.f_bavail * disk.f_frsize - room))
cache = LmdbCache(folder / "cache", 8 << 20)
cache.put_many("n", [(b"%d" % i, b"v" * 3000) for i in range(100)])
cache.flush()
assert all(v in (None, b"v" * 3000) for v in cache.get_many("n", [b"%d" % i for i in range(100)]))
print(cache.stats().rebuilt)
cache.close()
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        sys.platform != "linux"
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("a small file system cannot be mounted by this user")
    (folder / "cache").mkdir()
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("room_bytes", [0, 4096, 16_384, 49_152, 65_536, 200_000])
def test_a_full_disk_under_the_cache_is_a_notice_and_no_signal(small_disk: Path, room_bytes: int) -> None:
    done = subprocess.run([sys.executable, "-c", FILL, small_disk, str(room_bytes)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    if room_bytes < 65_536:
        assert "cannot be opened" in done.stdout


def test_a_read_only_volume_is_named(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreUnusable, match=r"read-only volume \(tmpfs\)") as raised:
        open_writer(small_disk / "memory.db", synchronous="OFF", busy_timeout_ms=10, deadline_ms=100)
    assert not raised.value.retryable


def test_a_path_longer_than_sqlite_takes_is_refused_with_its_length(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["x" * 100] * 6)
    with pytest.raises(StoreUnusable, match=r"has \d+ bytes"):
        open_writer(folder / "memory.db", synchronous="OFF", busy_timeout_ms=10, deadline_ms=100)
    assert not folder.exists()


def test_a_sqlite_without_full_text_search_is_named() -> None:
    with pytest.raises(sqlite3.OperationalError) as raised:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts99 (a)")
    ours = translate(raised.value)
    assert isinstance(ours, StoreUnusable)
    assert "full-text search" in ours.message


def test_the_file_system_is_that_of_the_deepest_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nhost:/x {tmp_path}/my\\040nfs nfs4 rw 0 0\n")
    monkeypatch.setattr(file_system, "_MOUNTS", mounts)
    assert file_system_of(tmp_path / "memory.db") == "ext4"
    there = tmp_path / "my nfs" / "memory.db"
    assert file_system_of(there) == "nfs4"
    assert "network file system (nfs4)" in file_system.notices_of(there)[0]
    monkeypatch.setattr(file_system, "_MOUNTS", tmp_path / "nowhere")
    assert file_system_of(there) == ""


@pytest.mark.parametrize("cache_enabled", [False, True])
async def test_without_lmdb_the_memory_opens_and_says_so_where_it_was_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache_enabled: bool
) -> None:
    for name in ("lmdb", "mcp_memory.storage.lmdb_cache", "mcp_memory.storage.lmdb_environment"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    flags = {"storage.data_dir": str(tmp_path), "embedding.provider": "off", "storage.cache_enabled": cache_enabled}
    async with bootstrap.open_memory(load_config(env={}, flags=flags)) as memory:
        found = {name: detail for name, _, detail in await memory.doctor()}
    assert ("lmdb cannot be imported" in found["hot tier"]) is cache_enabled
    if file_system_of(tmp_path):
        assert "(on " in found["data directory"]
