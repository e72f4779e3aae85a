"""What a program could only keep, because a later one told it, counts from the moment that the machine has the later one."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.shared_facts import FactKind
from mcp_memory.errors import CorruptRecord
from mcp_memory.memory import EpisodicMemory
from mcp_memory.storage import arrivals, store_sharing
from mcp_memory.storage.fact_effects import EFFECTS
from mcp_memory.testing import InMemoryLog

pytestmark = pytest.mark.anyio
TASK = "fix the flaky date parser of the invoice importer"


@pytest.fixture
def log() -> InMemoryLog:
    return InMemoryLog()


@asynccontextmanager
async def opened(folder: Path, log: InMemoryLog) -> AsyncIterator[EpisodicMemory]:
    """The memory of a machine, in step with the log."""
    flags = {"storage.data_dir": str(folder), "embedding.provider": "off", "server.project": "shop"}
    config = load_config(env={"MCP_MEMORY_REMOTE_URL": "http://log.invalid"}, flags=flags)
    async with open_memory(config, lambda remote: log) as memory:
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

    def unreadable(data: bytes) -> Episode:
        raise CorruptRecord("a record of another form")

    with monkeypatch.context() as earlier:
        earlier.setattr(arrivals, "load_episode", unreadable)
        async with opened(tmp_path / "b", log) as memory:
            assert (await memory.search_episodes(state="")).total == 0
    async with opened(tmp_path / "b", log) as memory:
        assert await tags_and_links(memory, first) == ({"invoices", "dates"}, 1)
        assert {found.episode_id for found in (await memory.recall(query="flaky date parser")).episodes} == {first, second}


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
