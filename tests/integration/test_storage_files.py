"""What the store does with files that are damaged, newer, foreign, or on a full disk. The durable file is never replaced."""

import asyncio
import json
import os
import random
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import StorageConfig
from mcp_memory.config_sources import load_config
from mcp_memory.domain.query import TextQuery
from mcp_memory.errors import CorruptRecord, MigrationError, StoreUnavailable, StoreUnusable
from mcp_memory.metrics import Metrics
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.contract.store_samples import CONFIG, Counter, complete, completion, episode, observation, open_store, step

pytestmark = pytest.mark.anyio


async def opened(data_dir: Path, config: StorageConfig = CONFIG) -> SqliteStore:
    return await SqliteStore.open(data_dir, config, Metrics(), Counter())


async def filled(data_dir: Path, episodes: int = 3) -> Path:
    """Return the path of a closed store's file."""
    store = await opened(data_dir)
    for i in range(episodes):
        await complete(store, f"e{i}", observations=(observation("x"),), text="some text " * 200)
    await store.aclose()
    return data_dir / "memory.db"


async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    await filled(tmp_path)
    store = await opened(tmp_path)
    assert [e and e.step_count for e in store.get_episodes(["e0", "e1", "e2"])] == [2, 2, 2]
    assert [h.episode_id for h in store.search_text(TextQuery(("text",)), project="p", limit=9)] == ["e0", "e1", "e2"]
    assert store.change_seq() == store.facts_after(0)[-1].seq == 6
    assert store.check() == []
    await store.aclose()


async def test_a_process_that_was_killed_leaves_its_log_and_nothing_is_lost(tmp_path: Path) -> None:
    store = await opened(tmp_path / "a")
    await complete(store, "e0")
    shutil.copytree(tmp_path / "a", tmp_path / "b", ignore=shutil.ignore_patterns("*-shm"))  # what a kill leaves: file and log
    await store.aclose()
    assert (tmp_path / "b" / "memory.db-wal").stat().st_size > 0
    again = await opened(tmp_path / "b")
    assert again.get_episodes(["e0"])[0] is not None
    assert again.check() == []
    await again.aclose()


async def test_a_log_that_was_cut_short_gives_a_prefix_of_the_commits(tmp_path: Path) -> None:
    store = await opened(tmp_path / "a")
    for i in range(10):
        await complete(store, f"e{i}")
    for cut in (0.3, 0.6, 0.95):
        copy = tmp_path / f"cut{cut}"
        shutil.copytree(tmp_path / "a", copy, ignore=shutil.ignore_patterns("*-shm"))
        log = copy / "memory.db-wal"
        os.truncate(log, int(log.stat().st_size * cut))
        try:
            damaged = await opened(copy)
        except MigrationError:
            pytest.fail("the schema is in the log, whole or not at all")
        found = [e is not None for e in damaged.get_episodes([f"e{i}" for i in range(10)])]
        assert found == sorted(found, reverse=True)
        assert damaged.check() == []
        await damaged.aclose()
    await store.aclose()


async def test_a_newer_schema_is_refused_with_a_hint_and_left_alone(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO schema_migration VALUES (99, '0099_future', 'x', 1)")
    connection.commit()
    connection.close()
    with pytest.raises(MigrationError) as raised:
        await opened(tmp_path)
    assert "Upgrade" in raised.value.hint
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM episode").fetchone() == (3,)
    connection.close()


async def test_a_damaged_file_is_reported_and_never_replaced(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    garbage = b"\x13" * path.stat().st_size
    path.write_bytes(garbage)
    with pytest.raises(CorruptRecord) as raised:
        await opened(tmp_path)
    assert "left as it is" in raised.value.message
    assert path.read_bytes() == garbage


async def test_damage_inside_the_file_is_found_by_check(tmp_path: Path) -> None:
    path = await filled(tmp_path, episodes=160)
    size_bytes = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size_bytes * 3 // 4 // 4096 * 4096)  # past the pages of the schema
        file.write(b"\x55" * 4096 * 8)
    store = await opened(tmp_path)
    assert store.check() != []
    assert path.stat().st_size == size_bytes
    await store.aclose()


async def test_a_stored_record_that_does_not_decode_is_a_corrupt_record(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE step SET body = x'0193ff'")
    connection.commit()
    connection.close()
    store = await opened(tmp_path)
    with pytest.raises(CorruptRecord):
        store.get_episodes(["e0"])
    assert store.get_episodes(["e0"], steps=False)[0] is not None
    await store.aclose()


async def test_counts_that_drift_from_their_evidence_are_found_by_check(tmp_path: Path) -> None:
    path = await filled(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE pattern_count SET support = support + 1")
    connection.execute("DELETE FROM step WHERE episode_row = 1 AND step_index = 1")
    connection.execute("DELETE FROM index_text WHERE seq = 2")
    connection.commit()
    connection.close()
    store = await opened(tmp_path)
    assert len(store.check()) == 6
    await store.aclose()


async def test_a_full_disk_is_said_and_the_store_goes_on_when_there_is_room(tmp_path: Path) -> None:
    store = await opened(tmp_path)
    await store.start_episode(episode("a"))
    pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")
    noise = random.Random(3)
    answers = await asyncio.gather(
        *(store.append_steps("a", [step(observation=noise.randbytes(5_000).hex())]) for _ in range(30)), return_exceptions=True
    )
    errors = [a for a in answers if not isinstance(a, int)]
    refused = len(errors)
    assert refused
    assert all(isinstance(e, StoreUnavailable) and "disk is full" in e.message for e in errors)
    with pytest.raises(StoreUnavailable):
        await store.complete_episode(completion(episode("a"), 30 - refused, text="words " * 50_000))
    store._writer.execute(f"PRAGMA max_page_count = {pages + 10_000}")
    assert await store.append_steps("a", [step()]) == 30 - refused
    assert store.check() == []
    await store.aclose()


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can be neither deleted nor replaced")
@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_deleted_or_replaced_while_open_is_noticed_before_the_next_acknowledgement(tmp_path: Path, replaced: bool) -> None:
    path = await filled(tmp_path)
    image = path.read_bytes()
    store = await opened(tmp_path)
    await store.update_episode("e0", add_tags=["before"])
    path.unlink()
    if replaced:
        path.write_bytes(image)
    for _ in range(2):
        with pytest.raises(StoreUnusable, match="deleted or replaced") as raised:
            await store.update_episode("e0", add_tags=["after"])
        assert not raised.value.retryable
    await store.aclose()
    assert path.exists() is replaced


async def test_a_lost_cache_costs_nothing_but_time(tmp_path: Path) -> None:
    store = await open_store("dual", tmp_path)
    done = await complete(store, "a")
    assert store.get_episodes(["a"]) == [done]
    await store.aclose()
    shutil.rmtree(tmp_path / "cache")
    again = await open_store("dual", tmp_path)
    assert again.get_episodes(["a"]) == [done]
    assert again.get_episodes(["a"]) == [done]
    await again.aclose()


async def test_a_durable_tier_that_was_replaced_beside_its_cache_is_not_answered_from_the_old_copies(tmp_path: Path) -> None:
    async def lessons(folder: str, *noted: str) -> tuple[str, ...]:
        """Import an episode with what was noted, if anything was, and return what is read of it."""
        flags = {"storage.data_dir": str(tmp_path / folder), "embedding.provider": "off"}
        async with open_memory(load_config(env={}, flags=flags)) as memory:
            if noted:
                said = {"external_id": "jira/17", "task": "Round the totals", "steps": [{"tool": "edit"}]}
                await memory.import_lines([json.dumps(said | {"outcome": {"kind": "success", "lessons": noted}})])
            return (await memory.recall("Round the totals", project="*")).episodes[0].lessons

    assert await lessons("ours", "Use round().") == ("Use round().",)
    assert await lessons("theirs", "Use Decimal.") == ("Use Decimal.",)
    (tmp_path / "theirs" / "memory.db").replace(tmp_path / "ours" / "memory.db")
    assert await lessons("ours") == ("Use Decimal.",)


async def test_a_corrupted_cache_is_rebuilt_and_the_notices_say_so(tmp_path: Path) -> None:
    store = await open_store("dual", tmp_path)
    done = await complete(store, "a")
    store.get_episodes(["a"])
    await store.aclose()
    (tmp_path / "cache" / "data.mdb").write_bytes(b"garbage" * 4_000)
    again = await open_store("dual", tmp_path)
    assert again.get_episodes(["a"]) == [done]
    assert any("fills again" in notice for notice in again.info().notices)
    await again.aclose()


async def test_the_hot_tier_is_used_and_never_stale(tmp_path: Path) -> None:
    store = await open_store("dual", tmp_path)
    done = await complete(store, "a")
    for _ in range(3):  # `complete` has read it once: the copy is there
        assert store.get_episodes(["a"]) == [done]
    assert store.info().cache.hits == 3
    await store.update_episode("a", add_tags=["new"])
    edited = store.get_episodes(["a"])[0]
    assert edited is not None
    assert edited.context.tags == ("new",)
    assert store.get_episodes(["a"]) == [edited]
    await store.aclose()
    again = await open_store("dual", tmp_path)
    assert again.get_episodes(["a"]) == [edited]
    await again.delete_episodes(["a"], "", 1)
    assert again.get_episodes(["a"]) == [None]
    await again.aclose()


async def test_what_is_forgotten_leaves_no_bytes_behind(tmp_path: Path) -> None:
    secret = b"zeppelin"
    store = await opened(tmp_path)
    for i in range(30):
        await complete(store, f"e{i}", text="ordinary words " * 20)
    await complete(store, "secret", "book the zeppelin", text="zeppelin " * 50)
    await store.start_episode(episode("open", "another zeppelin"))
    await store.append_steps("open", [step(observation="a zeppelin landed")])
    await complete(store, "after", "pay the bill", follows="secret")
    await store.delete_episodes(["secret", "open"], "asked to", 1)
    await complete(store, "later")
    await store.aclose()
    assert secret not in (tmp_path / "memory.db").read_bytes()
    assert not (tmp_path / "memory.db-wal").exists()
    again = await opened(tmp_path)
    assert again.check() == []
    assert len(again.search_text(TextQuery(("ordinary",)), project="p", limit=99)) == 30
    await again.aclose()
