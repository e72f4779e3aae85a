"""What a program could only keep, because a later one told it, counts from the moment that the machine has the later one."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_memory.bootstrap import check_memory, open_memory
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.errors import CorruptRecord
from mcp_memory.memory import EpisodicMemory
from mcp_memory.storage import arrivals, store_sharing
from mcp_memory.storage.codec import load_episode
from mcp_memory.storage.fact_effects import EFFECTS
from mcp_memory.testing import InMemoryLog
from tests.integration.machines import TASK, settings, spoil

pytestmark = pytest.mark.anyio


def _unreadable(data: bytes) -> Episode:
    raise CorruptRecord("a record of another form")


@asynccontextmanager
async def opened(folder: Path, log: InMemoryLog) -> AsyncIterator[EpisodicMemory]:
    """The memory of a machine, in step with the log."""
    async with open_memory(settings(folder), lambda remote: log) as memory:
        assert (await memory.sync()).state == "in step"
        yield memory


async def told(folder: Path, log: InMemoryLog) -> Sequence[str]:
    """Let a machine complete two episodes, tag the first and link them; return their ids."""
    async with opened(folder, log) as memory:
        ids = []
        for outcome in ("success", "failure"):
            started = await memory.start_episode(task=TASK, recall=False)
            await memory.log_step(episode_id=started.episode_id, tool="bash", arguments={"command": "pytest"}, observation="12 passed")
            await memory.complete_episode(episode_id=started.episode_id, outcome=outcome, summary="parsed by dateutil")
            ids.append(started.episode_id)
        await memory.update_episode(episode_id=ids[0], add_tags=["invoices"])
        await memory.update_episode(episode_id=ids[0], add_tags=["dates"])
        await memory.link_episodes(from_id=ids[1], to_id=ids[0], type="related_to")
        assert (await memory.sync()).state == "in step"
    return ids


async def tags_and_links(memory: EpisodicMemory, episode_id: str) -> tuple[set[str], int]:
    found = await memory.get_episode(episode_id=episode_id)
    return set(found.episode.context.tags), len((await memory.related_episodes(episode_id=episode_id)).edges)


async def test_facts_of_a_kind_that_was_not_known_are_applied_after_the_upgrade(
    tmp_path: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = await told(tmp_path / "a", log)
    with monkeypatch.context() as earlier:
        earlier.delitem(EFFECTS, FactKind.EDIT)
        earlier.delitem(EFFECTS, FactKind.LINK)
        async with opened(tmp_path / "b", log) as memory:
            assert await tags_and_links(memory, first) == (set(), 0)
    monkeypatch.setattr(store_sharing, "PIECE", 1)
    async with opened(tmp_path / "b", log) as memory:
        assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 1)


async def test_what_is_not_known_after_an_upgrade_either_waits_for_the_next(
    tmp_path: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = await told(tmp_path / "a", log)
    with monkeypatch.context() as earlier:
        earlier.delitem(EFFECTS, FactKind.LINK)
        with monkeypatch.context() as earliest:
            earliest.delitem(EFFECTS, FactKind.EDIT)
            async with opened(tmp_path / "b", log):
                pass
        for _ in range(2):
            async with opened(tmp_path / "b", log) as memory:
                assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 0)
    async with opened(tmp_path / "b", log) as memory:
        assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 1)


async def test_episodes_in_a_form_that_was_not_known_are_recalled_after_the_upgrade_with_what_waited_for_them(
    tmp_path: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await told(tmp_path / "a", log)
    with monkeypatch.context() as earlier:
        earlier.setattr(arrivals, "load_episode", _unreadable)
        async with opened(tmp_path / "b", log) as memory:
            assert (await memory.search_episodes(state="")).total == 0
    async with opened(tmp_path / "b", log) as memory:
        assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 1)
        assert {found.episode_id for found in (await memory.recall(query="flaky date parser")).episodes} == {first, second}


@pytest.mark.parametrize("damage", ["kind = 'edit' AND body = (SELECT max(body) FROM parked WHERE kind = 'edit')", "kind = 'link'"])
async def test_a_damaged_fact_that_waits_stays_aside_where_its_episode_arrives_until_it_is_read_again(
    tmp_path: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = await told(tmp_path / "a", log)
    with monkeypatch.context() as earlier:
        earlier.setattr(arrivals, "load_episode", _unreadable)
        async with opened(tmp_path / "b", log):
            pass
    assert spoil(tmp_path / "b", f"UPDATE parked SET sum = sum + 1 WHERE {damage}") == 1
    async with opened(tmp_path / "b", log) as memory:
        tags, links = await tags_and_links(memory, first)
        assert len(tags) + links == 2, "all but the damaged one"
        assert {found.episode_id for found in (await memory.recall(query="flaky date parser")).episodes} == {first, second}
        assert [row[2] for row in await memory.doctor() if not row[1]] == ["1 rows of parked do not have their checksum"]
        assert "sync --full" in caplog.text
    mended = await check_memory(settings(tmp_path / "b"), repair=True)
    assert mended.problems == ()
    assert any("sync --full" in done for done in mended.repaired)
    async with opened(tmp_path / "b", log) as memory:
        await memory.sync(full=True)
        assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 1)


async def test_a_damaged_fact_that_waits_goes_with_what_is_forgotten(
    tmp_path: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = await told(tmp_path / "a", log)

    def all_but_the_first(data: bytes) -> Episode:
        return _unreadable(data) if load_episode(data).id == first else load_episode(data)

    with monkeypatch.context() as earlier:
        earlier.setattr(arrivals, "load_episode", all_but_the_first)
        async with opened(tmp_path / "b", log):
            pass
        spoil(tmp_path / "b", "UPDATE parked SET sum = sum + 1")
        async with opened(tmp_path / "a", log) as memory:
            await memory.forget(episode_ids=[first], reason="by mistake", confirm=True)
            assert (await memory.sync()).state == "in step"
        async with opened(tmp_path / "b", log) as memory:
            assert [row for row in await memory.doctor() if not row[1]] == []


@pytest.mark.parametrize("kind", [FactKind.EDIT, FactKind.LINK, FactKind.TOMBSTONE])
async def test_a_fact_that_was_damaged_in_the_log_is_kept_and_in_nobodys_way(tmp_path: Path, log: InMemoryLog, kind: FactKind) -> None:
    first, second = await told(tmp_path / "a", log)
    async with opened(tmp_path / "a", log) as memory:
        started = await memory.start_episode(task="another one", recall=False)
        await memory.forget(episode_ids=[started.episode_id], confirm=True)
        assert (await memory.sync()).state == "in step"
    damaged = [replace(fact, body=b"\1\1\xff\xff") if fact.kind == kind else fact for fact in log._image.facts]
    assert damaged != log._image.facts
    log._image.facts = damaged
    for _ in range(2):  # what is kept is looked at again when a process begins
        async with opened(tmp_path / "b", log) as memory:
            expected = {FactKind.EDIT: (set(), 1), FactKind.LINK: ({"invoices", "dates"}, 0)}
            assert await tags_and_links(memory, first) == expected.get(kind, ({"invoices", "dates"}, 1))
            assert {found.episode_id for found in (await memory.recall(query="flaky date parser")).episodes} == {first, second}


async def test_a_step_that_was_damaged_in_the_log_is_kept_aside_until_its_episode_comes_whole(tmp_path: Path, log: InMemoryLog) -> None:
    async with opened(tmp_path / "a", log) as memory:
        started = await memory.start_episode(task=TASK, recall=False)
        for command in ("pytest", "git diff"):
            await memory.log_step(episode_id=started.episode_id, tool="bash", arguments={"command": command}, observation="ok")
        assert (await memory.sync()).state == "in step"
        log._image.facts = [replace(fact, body=b"\1\xff") if fact.id.endswith("/step/1") else fact for fact in log._image.facts]
        assert any(fact.body == b"\1\xff" for fact in log._image.facts)
        for _ in range(2):
            async with opened(tmp_path / "b", log) as other:
                assert len((await other.get_episode(episode_id=started.episode_id, detail="full")).episode.steps) == 1
        await memory.complete_episode(episode_id=started.episode_id, outcome="success")
        assert (await memory.sync()).state == "in step"
    async with opened(tmp_path / "b", log) as other:
        assert len((await other.get_episode(episode_id=started.episode_id, detail="full")).episode.steps) == 2


@pytest.mark.parametrize("damage", ["sum = sum + 1", "remote_row = 7"])
async def test_after_a_repair_of_what_was_to_be_told_a_log_is_told_everything(tmp_path: Path, log: InMemoryLog, damage: str) -> None:
    ids = await told(tmp_path / "a", log)
    async with open_memory(replace(settings(tmp_path / "a"), remotes=())) as memory:
        await memory.update_episode(episode_id=ids[1], add_tags=["late"])
    assert spoil(tmp_path / "a", f"UPDATE outbox SET {damage} WHERE outbox_row = (SELECT max(outbox_row) FROM outbox)") == 1
    repaired = await check_memory(settings(tmp_path / "a"), repair=True)
    assert any("told everything again" in done for done in repaired.repaired)
    assert (await check_memory(settings(tmp_path / "a"))).problems == ()
    async with opened(tmp_path / "a", log), opened(tmp_path / "b", log) as other:
        assert "late" in (await tags_and_links(other, ids[1]))[0]


@pytest.mark.parametrize("damage", ["UPDATE step SET body = x'00' WHERE episode_row = 1", "UPDATE episode SET task = 'x', sum = sum + 1"])
async def test_a_record_that_is_damaged_here_is_read_from_the_log_again(tmp_path: Path, log: InMemoryLog, damage: str) -> None:
    ids = await told(tmp_path / "a", log)
    async with opened(tmp_path / "b", log) as memory:
        expected = [(await memory.get_episode(episode_id=key, detail="full")).episode for key in ids]
    shutil.rmtree(tmp_path / "b" / "cache")  # whose copies would mend the steps, too
    assert spoil(tmp_path / "b", damage)
    async with opened(tmp_path / "b", log) as memory:
        assert not all(row[1] for row in await memory.doctor())
        assert (await memory.sync(full=True)).state == "in step"
        assert [row for row in await memory.doctor() if not row[1]] == []
        again = [(await memory.get_episode(episode_id=key, detail="full")).episode for key in ids]
        assert [replace(found, change_seq=0) for found in again] == [replace(found, change_seq=0) for found in expected]


async def test_a_damaged_record_keeps_nothing_else_from_being_told(tmp_path: Path, log: InMemoryLog) -> None:
    config = replace(settings(tmp_path / "a"), remotes=())
    async with open_memory(config) as memory:
        ids = []
        for _ in range(3):
            started = await memory.start_episode(task=TASK, recall=False)
            await memory.log_step(episode_id=started.episode_id, tool="bash", arguments={"command": "pytest"}, observation="12 passed")
            await memory.complete_episode(episode_id=started.episode_id, outcome="success")
            ids.append(started.episode_id)
    assert spoil(tmp_path / "a", "UPDATE step SET sum = sum + 1 WHERE episode_row = 2") == 1
    async with opened(tmp_path / "a", log), opened(tmp_path / "b", log) as memory:
        assert {e.episode_id for e in (await memory.search_episodes()).episodes} == {ids[0], ids[2]}


async def test_what_was_forgotten_before_the_upgrade_does_not_come_with_it(
    tmp_path: Path, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await told(tmp_path / "a", log)
    with monkeypatch.context() as earlier:
        earlier.delitem(EFFECTS, FactKind.LINK)
        async with opened(tmp_path / "b", log) as memory:
            await memory.forget(episode_ids=[second], reason="by mistake", confirm=True)
    async with opened(tmp_path / "b", log) as memory:
        assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 0)
        assert [row for row in await memory.doctor() if not row[1]] == []
