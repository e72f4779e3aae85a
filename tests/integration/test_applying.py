"""A machine that takes in what others told goes on answering: a page of the log is no longer than a writer may wait."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mcp_memory.config import StorageConfig
from mcp_memory.domain.episode import Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward
from mcp_memory.domain.feedback import Recommendation, RecommendationKind
from mcp_memory.domain.shared_facts import Fact
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Completion, LogMark
from mcp_memory.storage import remote_marks
from mcp_memory.storage.sqlite_store import SqliteStore
from tests.integration.sharing_simulation import derived

pytestmark = pytest.mark.anyio
URL = "http://log.invalid"
OTHERS = 30


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[list[Fact]]:
    """What one machine tells: a completed episode, that it failed after all, and a number of recommendations."""
    store = await SqliteStore.open(tmp_path / "teller", StorageConfig(), Metrics(), now_ms)
    await store.share_with([URL])
    opened = Episode("e", "p", "task", started_at_ms=now_ms())
    await store.start_episode(opened)
    outcome = Outcome(OutcomeKind.SUCCESS, "done")
    closed = replace(
        opened, state=EpisodeState.COMPLETED, ended_at_ms=now_ms(), outcome=outcome, reward=Reward(0.5), reflection=Reflection()
    )
    await store.complete_episode(derived(closed))
    judged = replace(closed, outcome=replace(outcome, kind=OutcomeKind.FAILURE))
    await store.replace_outcome(derived(judged), metadata={}, add_lessons=())
    for n in range(OTHERS):
        await store.put_recommendation(recommendation(f"r{n}"))
    facts = [replace(fact, seq=n) for n, fact in enumerate(store.outgoing(URL, (), 1_000).facts, 1)]
    yield facts
    await store.aclose()


def recommendation(id_: str) -> Recommendation:
    return Recommendation(id_, RecommendationKind.RECALL, "p", None, (), now_ms())


async def test_a_write_that_comes_while_a_page_is_applied_waits_for_no_more_than_the_fact_under_way(
    told: list[Fact], tmp_path: Path
) -> None:
    store = await SqliteStore.open(tmp_path / "hearer", StorageConfig(), Metrics(), now_ms)
    await store.share_with([URL])
    loop, applied_by_then = asyncio.get_running_loop(), list[int]()
    writing: list[asyncio.Task[None]] = []

    async def write() -> None:
        applied_by_then.append(await store._write(lambda tx: remote_marks.mark_of(tx, URL).seq))

    def derive(episode: Episode) -> Completion:
        """Where an edit says that the episode ended otherwise, this is called inside of the transaction."""
        if threading.current_thread() is store._batcher._thread:
            queued = threading.Event()

            def begin() -> None:
                writing.append(loop.create_task(write()))
                loop.call_soon(queued.set)  # after the first step of the task, which queues the write

            loop.call_soon_threadsafe(begin)
            assert queued.wait(30)
        return derived(episode)

    await store.apply(URL, told, LogMark("epoch", told[-1].seq, 1, "nonce"), derive)
    await asyncio.gather(*writing)
    assert len(writing) == 1
    assert 0 < applied_by_then[0] < told[-1].seq
    assert store.mark(URL) == LogMark("epoch", told[-1].seq, 1, "nonce")
    found = store.get_episodes(["e"])[0]
    assert found is not None
    assert found.outcome is not None
    assert found.outcome.kind is OutcomeKind.FAILURE
    await store.aclose()
