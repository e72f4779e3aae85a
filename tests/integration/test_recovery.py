"""Backup, restore, check, compact: on real files, also while others write and where bytes are wrong."""

import asyncio
import io
import json
import multiprocessing
import os
import shutil
import sqlite3
import stat
import sys
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lmdb
import pytest

from mcp_memory.bootstrap import check_memory, open_memory, restore_memory
from mcp_memory.cli.main import main
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.backups import Backup, Checked
from mcp_memory.errors import CorruptRecord, InvalidInput, McpMemoryError, MigrationError, StoreUnavailable
from mcp_memory.memory import EpisodicMemory
from mcp_memory.storage.codec import Codec, load_episode
from mcp_memory.verbs.recovery import Recovery
from tests.integration.machines import spoil

pytestmark = pytest.mark.anyio
WRITERS = 8
SPAWN = multiprocessing.get_context("spawn")
STEPS = [
    {"tool": "shell", "action": "pytest", "status": "error", "error": "KeyError: 'name'"},
    {"tool": "editor", "action": "edit"},
    {"tool": "shell", "action": "pytest", "observation": "4 passed"},
]
TASKS = [f"fix the {what} of the {where}" for what in ("parser", "rounding", "login") for where in ("shop", "library", "bank")]


def config_of(folder: Path, **flags: Any) -> Config:
    given = {"storage.data_dir": str(folder), "embedding.provider": "off", **{k.replace("__", "."): v for k, v in flags.items()}}
    return load_config(env={}, flags=given)


async def record(memory: EpisodicMemory, task: str, outcome: str = "success", **more: Any) -> str:
    started = await memory.start_episode(task, recall=False, domain="backend", **more)
    await memory.log_steps(started.episode_id, STEPS)
    await memory.complete_episode(started.episode_id, outcome, lessons=[f"read the tests of {task[:40]}"])
    return started.episode_id


async def recalls(memory: EpisodicMemory) -> list[Any]:
    """Return what every task recalls, without what an answer is called."""
    found = []
    for task in TASKS:
        answer = await memory.recall(task, limit=5, project="*")
        found.append(([(e.episode_id, e.outcome, e.lessons, round(e.score, 6)) for e in answer.episodes], answer.patterns))
    return found


async def _write(folder: str, number: int, stop: Any) -> None:
    async with open_memory(config_of(Path(folder))) as memory:
        done = 0
        while not stop.is_set() or done < 2:
            await record(memory, f"{TASKS[(number + done) % len(TASKS)]} for customer {number}-{done}", project=f"p{number % 3}")
            done += 1


def _writer(folder: str, number: int, stop: Any) -> None:
    asyncio.run(_write(folder, number, stop))


def _stored(counts: Any) -> dict[str, int]:
    """Return the counts that the file has, without what was shown meanwhile."""
    return {name: n for name, n in counts.items() if not name.startswith("this_process") and name != "recommendations"}


async def test_a_backup_while_eight_processes_write_restores_to_the_same_recalls(tmp_path: Path) -> None:
    stop = SPAWN.Event()
    config = config_of(tmp_path / "live")
    async with open_memory(config) as memory:
        for task in TASKS:
            await record(memory, task)
        writers = [SPAWN.Process(target=_writer, args=(str(tmp_path / "live"), n, stop)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        made, seen = list[Backup](), len(TASKS)
        while len(made) < 3:  # each of another moment, while episodes go on arriving
            while (total := (await memory.search_episodes(project="*")).total) < seen + WRITERS:
                await asyncio.to_thread(writers[0].join, 0.05)
            made.append(await memory.backup(str(tmp_path / f"{len(made)}.backup")))
            seen = total
        stop.set()
        for writer in writers:
            await asyncio.to_thread(writer.join, 60)
        assert [writer.exitcode for writer in writers] == [0] * WRITERS
        last = await memory.backup(str(tmp_path / "last.backup"))
        expected, counts = await recalls(memory), (await memory.memory_status()).counts
    for backup in made:
        other = config_of(Path(f"{backup.path}.restored"))
        assert restore_memory(other, Path(backup.path)).kept is None
        async with open_memory(other) as memory:
            assert (await memory.search_episodes(project="*")).total == backup.manifest.counts["episodes"] >= len(TASKS) + WRITERS
        assert (await check_memory(other)).problems == ()
    restore_memory(config_of(tmp_path / "again"), Path(last.path))
    async with open_memory(config_of(tmp_path / "again")) as memory:
        again = (await memory.memory_status()).counts
        assert _stored(again) == _stored(counts)
        assert await recalls(memory) == expected


async def test_a_copied_file_alone_lacks_what_is_in_the_log_and_a_backup_has_it(tmp_path: Path) -> None:
    async with open_memory(config_of(tmp_path / "live")) as memory:
        for task in TASKS:
            await record(memory, task)
        made = await memory.backup(str(tmp_path / "a.backup"))
        shutil.copy(tmp_path / "live" / "memory.db", tmp_path / "copy.db")
    try:
        copied = sqlite3.connect(tmp_path / "copy.db").execute("SELECT count(*) FROM episode").fetchone()[0]
    except sqlite3.Error:
        copied = 0
    assert copied < len(TASKS) == made.manifest.counts["episodes"]


async def _backup(folder: Path) -> tuple[Config, Backup]:
    config = config_of(folder / "live")
    async with open_memory(config) as memory:
        await record(memory, TASKS[0])
        return config, await memory.backup(str(folder / "a.backup"))


async def test_restoring_keeps_what_was_there_and_makes_a_new_replica(tmp_path: Path) -> None:
    config, made = await _backup(tmp_path)
    async with open_memory(config) as memory:
        await record(memory, TASKS[1])
    done = restore_memory(config, Path(made.path))
    assert done.kept is not None
    assert done.replica_id != done.manifest.replica_id
    async with open_memory(config) as memory:
        assert (await memory.search_episodes()).total == 1
        assert [e.task for e in (await memory.recall(TASKS[0])).episodes] == [TASKS[0]], "no copy of another memory is answered from"
        assert memory._engines.store.info().replica_id == done.replica_id
    assert (await check_memory(config)).problems == ()
    async with open_memory(config_of(Path(done.kept))) as memory:
        assert (await memory.search_episodes()).total == 2


async def test_a_memory_that_is_open_is_not_replaced(tmp_path: Path) -> None:
    config, made = await _backup(tmp_path)
    async with open_memory(config) as memory:
        with pytest.raises(StoreUnavailable, match="open"):
            restore_memory(config, Path(made.path))
        await record(memory, TASKS[1])
    assert sorted(p.name for p in (tmp_path / "live").iterdir() if p.name.startswith((".restored", "replaced"))) == []


def _tampered(made: Path, **changed: Any) -> Path:
    """Return a backup with another manifest."""
    other = made.with_name("other.backup")
    with tarfile.open(made) as old, tarfile.open(other, "w") as new:
        for member in old.getmembers():
            body = old.extractfile(member).read()  # type: ignore[union-attr]
            if member.name == "manifest.json":
                body = json.dumps(json.loads(body) | changed).encode()
            member.size = len(body)
            new.addfile(member, io.BytesIO(body))
    return other


async def test_what_is_no_sound_backup_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    config, made = await _backup(tmp_path)
    before = (tmp_path / "live" / "memory.db").read_bytes()
    whole = (tmp_path / "a.backup").read_bytes()
    middle = len(whole) // 2
    broken: dict[str, tuple[bytes, type[McpMemoryError]]] = {
        "cut": (whole[:middle], McpMemoryError),
        "flipped": (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], CorruptRecord),
        "text": (b"hello", InvalidInput),
        "empty": (b"", InvalidInput),
    }
    for name, (content, error) in broken.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(error):
            restore_memory(config, tmp_path / name)
    with pytest.raises(MigrationError, match="newer"):
        restore_memory(config, _tampered(Path(made.path), schema_version=999))
    with pytest.raises(CorruptRecord, match="manifest"):
        restore_memory(config, _tampered(Path(made.path), sha256="0" * 64))
    with pytest.raises(InvalidInput):
        restore_memory(config, tmp_path / "nothing")
    assert (tmp_path / "live" / "memory.db").read_bytes() == before


async def test_a_backup_is_private_and_written_over_nothing(tmp_path: Path) -> None:
    config, made = await _backup(tmp_path)
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "a.backup").stat().st_mode) == 0o600
    async with open_memory(config) as memory:
        with pytest.raises(InvalidInput, match="exists"):
            await memory.backup(made.path)
        with pytest.raises(InvalidInput, match="no folder"):
            await memory.backup(str(tmp_path / "nowhere" / "a"))
        own = await memory.backup()
    assert Path(own.path).parent == tmp_path / "live" / "backups"
    assert sorted(os.listdir(tmp_path)) == ["a.backup", "live"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE pattern_count SET successes = successes + 1",
        "UPDATE trace SET sum = sum + 1",
        "UPDATE index_text SET sum = sum + 1",
        "DELETE FROM trace WHERE seq = 1",
        "UPDATE evidence SET success = 1 - success",
        "UPDATE pattern SET description = 'another'",
        "DELETE FROM episode_tag",
        "INSERT INTO episode_text (episode_text) VALUES ('delete-all')",
        "UPDATE unfinished_text SET task = 'another'",
        "INSERT INTO evidence (pattern_row, episode_row, ordinal, success, weight, at_ms, sum) VALUES (1, 99, 0, 1, 1.0, 1, 0)",
        "INSERT INTO quarantined_episode VALUES (1)",
    ],
)
async def test_what_can_be_derived_is_made_again(tmp_path: Path, damage: str) -> None:
    config = config_of(tmp_path)
    async with open_memory(config) as memory:
        for task in TASKS:
            await record(memory, task, tags=["urgent"])
        await memory.start_episode("still open", recall=False, tags=["open"])
        expected = await recalls(memory)
        patterns = [(p.pattern_id, p.description, p.successes, p.failures) for p in (await memory.search_patterns(limit=100)).patterns]
    spoil(tmp_path, damage)
    assert (await check_memory(config)).problems
    mended = await check_memory(config, repair=True)
    assert (mended.problems, bool(mended.repaired)) == ((), True)
    async with open_memory(config) as memory:
        assert await recalls(memory) == expected
        again = [(p.pattern_id, p.description, p.successes, p.failures) for p in (await memory.search_patterns(limit=100)).patterns]
        assert sorted(again) == sorted(patterns)
        assert (await memory.search_episodes(query="still", tags=["open"])).total == 1


async def test_a_damaged_record_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    async with open_memory(config) as memory:
        key = await record(memory, TASKS[0])
        await record(memory, TASKS[1])
    spoil(tmp_path, "UPDATE episode SET task = 'another' WHERE id = ?", key)
    left = await check_memory(config, repair=True)
    assert any("rows of episode" in problem for problem in left.problems)
    assert not any("evidence" in problem for problem in left.problems), "what rests on sound records is sound"


async def test_compacting_gives_space_back_and_changes_no_answer(tmp_path: Path) -> None:
    async with open_memory(config_of(tmp_path)) as memory:
        for task in TASKS:
            await record(memory, task)
        kept = await recalls(memory)
        gone = [await record(memory, f"something else {n} " + "x" * 5_000) for n in range(60)]
        await memory.forget(episode_ids=gone, confirm=True)
        done = await memory.compact()
        assert done.after_bytes < done.before_bytes
        assert await recalls(memory) == kept
    assert (await check_memory(config_of(tmp_path))).problems == ()


async def test_backups_are_made_by_themselves_and_the_older_the_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(tmp_path, storage__backup_every_hours=12)
    hour = 3_600_000
    async with open_memory(config_of(tmp_path)) as memory:
        await record(memory, TASKS[0])
        engines = memory._engines
        monkeypatch.setattr(engines, "config", config)
        now = [1_793_527_200_000]
        monkeypatch.setattr(engines, "clock", lambda: now[0])
        recovery = Recovery(engines, memory._recovery._upkeep)
        made = []
        for _ in range(60):
            made.append(await recovery.make_due() is not None)
            now[0] += 6 * hour
        assert made[:4] == [True, False, True, False]
        kept = sorted((tmp_path / "backups").iterdir())
        assert 8 <= len(kept) <= 14, [path.name for path in kept]
        assert restore_memory(config_of(tmp_path / "other"), kept[0]).manifest.counts["episodes"] == 1


def _spoil(folder: Path, change: Callable[[str, bytes], bytes | None]) -> int:
    """Write other bytes under keys of the hot tier, where *change* of key, and head with value, returns any; return under how many."""
    changed = 0
    with lmdb.open(str(folder / "cache"), max_dbs=4) as file, file.begin(write=True) as txn:
        data = file.open_db(b"data", txn)
        for key, stored in list(txn.cursor(data)):
            if (new := change(key.decode("latin-1"), stored)) is not None:
                txn.put(key, new, db=data)
                changed += 1
    return changed


def _headed(stored: bytes, value: bytes) -> bytes:
    return stored[:8] + zlib.crc32(value).to_bytes(4, "big") + value


async def test_copies_in_the_hot_tier_are_compared_with_the_records_and_made_again(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    async with open_memory(config) as memory:
        ids = [await record(memory, task) for task in TASKS]
        for episode_id in ids:
            await memory.get_episode(episode_id, detail="full")
        assert ("hot tier", True) in [row[:2] for row in await memory.doctor()]
    assert await check_memory(config) == Checked(())
    copies: dict[str, bytes] = {}
    _spoil(tmp_path, lambda key, stored: copies.update({key: stored}))
    of = {episode_id: next(key for key in copies if key.endswith(f"\0{episode_id}")) for episode_id in ids}
    other = copies[of[ids[1]]][12:]

    def change(key: str, stored: bytes) -> bytes | None:
        if key == of[ids[0]]:
            return stored[:-1] + bytes([stored[-1] ^ 1])
        if key == of[ids[1]]:
            return _headed(stored, altered)
        return None

    episode = load_episode(other)
    altered = Codec(10_000_000).episode(replace(episode, task="something else"))
    assert _spoil(tmp_path, change) == 2
    found = await check_memory(config)
    assert found.problems == (
        "1 entries of the hot tier fail their checksum",
        "1 copies in the hot tier are not what the durable tier holds",
    )
    async with open_memory(config) as memory:
        row = next(row for row in await memory.doctor() if row[0] == "hot tier")
        assert not row[1]
        assert "fail their checksum" in row[2]
    mended = await check_memory(config, repair=True)
    assert (mended.problems, len(mended.repaired)) == ((), 2)
    async with open_memory(config) as memory:
        assert (await memory.get_episode(ids[1], detail="full")).episode.task == TASKS[1]
    assert await check_memory(config) == Checked(())


async def test_a_copy_of_what_was_forgotten_is_found_and_removed(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    async with open_memory(config) as memory:
        episode_id = await record(memory, TASKS[0])
        await memory.get_episode(episode_id, detail="full")
    kept: dict[str, bytes] = {}
    _spoil(tmp_path, lambda key, stored: kept.update({key: stored}))
    async with open_memory(config) as memory:
        await memory.forget(episode_ids=[episode_id], confirm=True)
    # As a process leaves it that was killed between the commit and the deletion of its copy.
    with lmdb.open(str(tmp_path / "cache"), max_dbs=4) as file, file.begin(write=True) as txn:
        for key, stored in kept.items():
            txn.put(key.encode("latin-1"), stored, db=file.open_db(b"data", txn))
            txn.put(stored[:8], key.encode("latin-1"), db=file.open_db(b"order", txn))
    assert (await check_memory(config)).problems == ("1 copies in the hot tier are of episodes that were forgotten",)
    assert (await check_memory(config, repair=True)).problems == ()
    _spoil(tmp_path, lambda key, stored: kept.pop(key, None) and None)
    assert kept, "the copy is gone from the file"


async def _command(*argv: str) -> int:
    return await asyncio.get_running_loop().run_in_executor(None, main, argv)


@pytest.fixture
async def copied(tmp_path: Path) -> list[str]:
    """Episodes with copies in the hot tier, the first of them edited."""
    async with open_memory(config_of(tmp_path)) as memory:
        ids = [await record(memory, task) for task in TASKS]
        await memory.update_episode(ids[0], add_tags=["edited"])
        for episode_id in ids:
            await memory.get_episode(episode_id, detail="full")
    return ids


async def test_a_damaged_record_with_a_sound_copy_is_reported_beside_every_other_fault(
    tmp_path: Path, copied: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_of(tmp_path)
    assert _spoil(tmp_path, lambda key, stored: stored[:-1] + bytes([stored[-1] ^ 1]) if key.endswith(copied[1]) else None) == 1
    spoil(tmp_path, "UPDATE episode SET task = 'x' WHERE episode_row = 1")
    found = (await check_memory(config)).problems
    damaged = "1 rows of episode do not have their checksum"
    kept = f"1 damaged records have a sound copy in the hot tier, which `show` and `export` read: {copied[0]}"
    assert {damaged, kept, "1 entries of the hot tier fail their checksum"} <= set(found)
    async with open_memory(config) as memory:
        rows = {name: (fine, detail) for name, fine, detail in await memory.doctor()}
    assert not rows["database"][0]
    assert kept in rows["hot tier"][1]

    left = await check_memory(config, repair=True)
    assert "1 entries of the hot tier fail their checksum: made again" in left.repaired
    assert {damaged, kept} <= set(left.problems), "the copy of what is damaged stays"
    assert await _command("check", "--data-dir", str(tmp_path)) == 1
    assert f"wrong: {kept}" in capsys.readouterr().out
    for argv in (["show", copied[0]], ["export"]):
        assert await _command(*argv, "--data-dir", str(tmp_path)) == 0
        out = capsys.readouterr().out
        assert copied[0] in out
        assert str(STEPS[0]["error"]) in out


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE step SET sum = sum + 1 WHERE episode_row = 1 AND step_index = 1",
        "UPDATE step SET body = x'00' WHERE episode_row = 1",
        "UPDATE step SET episode_row = 2, step_index = 7 WHERE episode_row = 1 AND step_index = 2",
        "DELETE FROM step WHERE episode_row = 1",
    ],
)
async def test_damaged_steps_are_put_back_from_a_sound_copy(tmp_path: Path, copied: list[str], damage: str) -> None:
    config = config_of(tmp_path)
    async with open_memory(config) as memory:
        expected = [(await memory.get_episode(episode_id, detail="full")).episode for episode_id in copied]
    spoil(tmp_path, damage)
    assert any("sound copy" in problem and copied[0] in problem for problem in (await check_memory(config)).problems)
    mended = await check_memory(config, repair=True)
    assert mended.problems == ()
    assert any("steps of their copies" in done for done in mended.repaired)
    shutil.rmtree(tmp_path / "cache")
    async with open_memory(config) as memory:
        assert [(await memory.get_episode(episode_id, detail="full")).episode for episode_id in copied] == expected
