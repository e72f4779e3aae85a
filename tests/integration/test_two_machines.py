"""Two memories with data directories of their own and one shared log, through the front door."""

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.domain.episode import Step
from mcp_memory.errors import EpisodeClosed, RemoteUnavailable
from mcp_memory.memory import EpisodicMemory
from mcp_memory.testing import InMemoryLog
from tests.integration.machines import TASK, WAIT_S, Machine, attempt, settings, until

pytestmark = pytest.mark.anyio


async def steps(memory: EpisodicMemory, episode_id: str) -> Sequence[Step]:
    return (await memory.get_episode(episode_id=episode_id, detail="full")).episode.steps


async def recalled(memory: EpisodicMemory) -> list[str]:
    return [found.episode_id for found in (await memory.recall(query="flaky date parser")).episodes]


async def test_what_one_machine_completed_the_other_recalls_and_counts(machine: Machine) -> None:
    a, b = await machine("a"), await machine("b")
    theirs, own = await attempt(a), await attempt(b)

    async def both() -> bool:
        return {theirs, own} <= set(await recalled(b)) and {theirs, own} <= set(await recalled(a))

    await until(both)
    of_a, of_b = (await a.search_patterns(min_support=2)).patterns, (await b.search_patterns(min_support=2)).patterns
    assert {p.pattern_id for p in of_b} == {p.pattern_id for p in of_a} != set()
    detail = await b.get_pattern(pattern_id=of_b[0].pattern_id)
    assert {x.episode_id for x in detail.evidence} == {theirs, own}
    assert len(await steps(b, theirs)) == 3
    assert await steps(b, theirs) == await steps(a, theirs)
    assert [row for row in await b.doctor() if not row[1]] == []


async def test_what_is_forgotten_on_one_machine_is_gone_everywhere_bytes_included(
    machine: Machine, tmp_path: Path, log: InMemoryLog
) -> None:
    a, b = await machine("a"), await machine("b")
    kept = await attempt(a)
    told = await attempt(a, task="call the zebrafish service of the customer")

    async def there() -> bool:
        return {kept, told} <= {row.episode_id for row in (await b.search_episodes()).episodes}

    await until(there)
    await b.link_episodes(from_id=kept, to_id=told, type="related_to", note="the zebrafish again")
    await a.forget(episode_ids=[told], reason="by mistake", confirm=True)

    async def gone() -> bool:
        return told not in {row.episode_id for row in (await b.search_episodes()).episodes} and all(
            b"zebrafish" not in fact.body for fact in log.image().facts
        )

    await until(gone)

    async def no_byte() -> bool:
        files = [path for name in ("a", "b") for path in (tmp_path / name).glob("memory.db*")]
        return not any(b"zebrafish" in path.read_bytes() for path in files)

    await until(no_byte)


async def test_edits_links_corrections_votes_and_checkpoints_arrive(machine: Machine) -> None:
    a, b = await machine("a"), await machine("b")
    first, second = await attempt(a), await attempt(a, outcome="failure")
    await a.update_episode(episode_id=first, add_tags=["invoices"], metadata={"ticket": "T-1"})
    await a.link_episodes(from_id=second, to_id=first, type="related_to")
    await a.correct(target_id=first, text="dateutil is not installed", reason="a person said so")
    opened = await a.start_episode(task="go on with the importer", recall=False)
    await a.log_step(episode_id=opened.episode_id, tool="bash", arguments={"command": "ls"})
    checkpoint = await a.checkpoint_episode(episode_id=opened.episode_id, label="halfway", pending=["the tests"])

    async def arrived() -> bool:
        rows = {row.episode_id: row for row in (await b.search_episodes(state="")).episodes}
        return opened.episode_id in rows and len((await b.related_episodes(episode_id=first)).edges) == 1

    await until(arrived)

    async def handed_over() -> bool:
        found = await b.resume_episode(episode_id=opened.episode_id)
        return list(found.handoff.next) == ["the tests"]

    await until(handed_over)
    assert checkpoint.checkpoint_id
    row = await b.get_episode(episode_id=first)
    assert "invoices" in row.episode.context.tags


async def begun(a: EpisodicMemory, b: EpisodicMemory) -> str:
    """Begin an episode on one machine, and wait until the other one has heard of it."""
    opened = await a.start_episode(task=TASK, recall=False)
    await a.log_step(episode_id=opened.episode_id, tool="bash", arguments={"command": "pytest"}, observation="3 failed")

    async def there() -> bool:
        return opened.episode_id in {row.episode_id for row in (await b.search_episodes(state="open")).episodes}

    await until(there)
    return opened.episode_id


async def test_an_open_episode_is_taken_over_from_the_machine_that_began_it_and_back_again(machine: Machine) -> None:
    a, b = await machine("a"), await machine("b")
    id_ = await begun(a, b)
    resumed = await b.resume_episode(episode_id=id_)
    assert (resumed.episode_id, resumed.steps_carried) == (id_, 1)
    await b.log_step(episode_id=id_, tool="edit", arguments={"path": "src/dates.py"}, observation="written")
    await b.sync()
    await a.sync()
    back = await a.resume_episode(episode_id=id_)
    assert (back.episode_id, back.steps_carried) == (id_, 2)
    with pytest.raises(EpisodeClosed, match="another machine"):
        await closed(b, id_)
    await a.complete_episode(episode_id=id_, outcome="success", summary="done")

    async def one_record() -> bool:
        return (await b.get_episode(episode_id=id_)).episode.state == "completed"

    await until(one_record)
    assert len(await steps(b, id_)) == 2
    assert await steps(b, id_) == await steps(a, id_)


async def closed(memory: EpisodicMemory, episode_id: str) -> None:
    """Log steps until the memory hears that another machine has the episode."""
    with anyio.fail_after(WAIT_S):
        while True:
            await memory.log_step(episode_id=episode_id, tool="bash", observation="late")
            await anyio.sleep(0.02)


async def test_what_was_logged_after_another_machine_took_over_is_kept_in_an_episode_that_follows(machine: Machine) -> None:
    a, b = await machine("a"), await machine("b")
    id_ = await begun(a, b)
    assert (await b.resume_episode(episode_id=id_)).episode_id == id_
    with pytest.raises(EpisodeClosed):
        await closed(a, id_)

    async def all_there() -> bool:
        found = [row.episode_id for row in (await b.search_episodes(state="")).episodes]
        told = [step.observation for episode in found for step in await steps(b, episode)]
        mine = [row.episode_id for row in (await a.search_episodes(state="")).episodes]
        return sorted(found) == sorted(mine) and told.count("3 failed") == 1

    await until(all_there)
    assert (await b.get_episode(episode_id=id_)).episode.state == "open"


async def test_while_no_log_can_be_reached_an_open_episode_of_elsewhere_gets_one_that_follows(
    machine: Machine, log: InMemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await machine("a"), await machine("b")
    id_ = await begun(a, b)

    def unreachable(*_: object) -> None:
        raise RemoteUnavailable("the network is bad")

    for call in ("append", "read", "newest_batch"):
        monkeypatch.setattr(log, call, unreachable)
    resumed = await b.resume_episode(episode_id=id_)
    assert resumed.episode_id != id_
    monkeypatch.undo()
    await a.log_step(episode_id=id_, tool="bash", observation="12 passed")
    await a.complete_episode(episode_id=id_, outcome="success", summary="done")


async def test_a_log_that_cannot_be_reached_changes_no_answer(tmp_path: Path) -> None:
    async with open_memory(settings(tmp_path / "a", MCP_MEMORY_REMOTE_URL="http://127.0.0.1:9")) as memory:
        episode_id = await attempt(memory)
        assert await recalled(memory) == [episode_id]

        async def said() -> bool:
            return any("unreachable" in text for text in (await memory.memory_status()).degraded)

        await until(said)
        status = (await memory.memory_status()).replication
        assert status.state == "unreachable"
        assert status.pending > 0
        assert status.last_error
        gauges = {gauge.name: gauge.value for gauge in memory.metrics.gauges()}
        assert gauges["shared_log_reachable"] == 0.0
        assert gauges["shared_log_pending_rows"] == status.pending


async def test_a_memory_in_step_says_so_in_its_metrics(machine: Machine) -> None:
    a = await machine("a")
    await attempt(a)
    await a.sync()

    async def in_step() -> bool:
        gauges = {gauge.name: gauge.value for gauge in a.metrics.gauges()}
        told = [gauges.get(f"shared_log_{name}") for name in ("pending_rows", "lag_seconds", "reachable")]
        return told == [0.0, 0.0, 1.0] and gauges["shared_log_in_step_timestamp_seconds"] > 1_600_000_000

    await until(in_step)
