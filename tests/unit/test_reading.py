"""What a reader of the memory is promised, through the facade: one moment at a time, every row once, and nothing read in vain."""

import base64
import json
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import anyio.from_thread
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.answers import EpisodePage, PatternPage
from mcp_memory.errors import InvalidInput
from mcp_memory.memory import EpisodicMemory
from mcp_memory.storage import text_listing
from mcp_memory.storage.store_reads import StoreReads

pytestmark = pytest.mark.anyio
TASKS = 140
WORDS = ("login", "cart", "search", "invoice", "mail", "report", "cache")


def lines(count: int) -> list[str]:
    return [
        json.dumps(
            {
                "external_id": f"x{i:03}",
                "task": f"mend the {WORDS[i % 7]} page of shop {i % 13}",
                "context": {"domain": "web"},
                "steps": [{"tool": "edit"}, {"tool": "test"}],
                "outcome": {"kind": ("success", "failure", "partial")[i % 3]},
            }
        )
        for i in range(count)
    ]


async def collected(page: Callable[[str | None], Any], rows: Callable[[Any], list[str]]) -> list[str]:
    """Turn pages to the end and return what they showed."""
    shown: list[str] = []
    cursor = None
    for _ in range(2 * TASKS):
        answer = await page(cursor)
        shown += rows(answer)
        cursor = answer.next_cursor
        if cursor is None:
            return shown
    raise AssertionError("the pages have no end")


@pytest.fixture
async def filled(memory: EpisodicMemory) -> EpisodicMemory:
    await memory.import_lines(lines(TASKS))
    await memory.settle()
    return memory


@pytest.mark.parametrize("limit", [7, 50])
@pytest.mark.parametrize("query", ["mend the page", "?!"])
async def test_the_pages_of_a_recall_show_every_episode_once(filled: EpisodicMemory, query: str, limit: int) -> None:
    shown = await collected(
        lambda cursor: filled.recall(query, limit=limit, budget_tokens=20_000, cursor=cursor),
        lambda answer: [e.episode_id for e in answer.episodes],
    )
    assert len(shown) == len(set(shown)) == TASKS


async def test_pages_of_any_size_show_the_same_order(filled: EpisodicMemory) -> None:
    async def order(limit: int) -> list[str]:
        return await collected(
            lambda cursor: filled.recall("mend the login page of shop 3", limit=limit, budget_tokens=20_000, cursor=cursor),
            lambda answer: [e.episode_id for e in answer.episodes],
        )

    assert await order(50) == await order(13) == await order(1)


async def test_the_pages_of_listings_show_every_row_once(filled: EpisodicMemory) -> None:
    async def search_page(sort: str, cursor: str | None) -> EpisodePage:
        return await filled.search_episodes(query="mend page", sort=sort, limit=50, cursor=cursor)

    async def pattern_page(query: str, cursor: str | None) -> PatternPage:
        return await filled.search_patterns(query=query, limit=1, cursor=cursor)

    for sort in ("relevance", "newest", "oldest", "reward", "duration"):
        shown = await collected(
            partial(search_page, sort),
            lambda answer: [e.episode_id for e in answer.episodes],
        )
        assert len(shown) == len(set(shown)) == TASKS, sort
    for query in ("", "edit"):
        patterns = await collected(
            partial(pattern_page, query),
            lambda answer: [p.pattern_id for p in answer.patterns],
        )
        assert len(patterns) == len(set(patterns)) > 1


@pytest.mark.parametrize("most", [5, 30, 1_000])
@pytest.mark.parametrize("limit", [1, 7, 50])
async def test_a_listing_shows_every_row_once_however_few_of_its_words_may_rank(
    filled: EpisodicMemory, monkeypatch: pytest.MonkeyPatch, most: int, limit: int
) -> None:
    monkeypatch.setattr(text_listing, "MAX_RANKED", most)
    for number in range(3):
        await filled.start_episode(f"mend the mail page, open {number}", recall=False)

    async def page(project: str, cursor: str | None) -> EpisodePage:
        found = await filled.search_episodes(query="mend invoice page", limit=limit, project=project, cursor=cursor)
        assert (found.total, found.more_than_total) == (TASKS + 3, False)
        return found

    for project in ("*", ""):  # of all and of its own, which are counted in ways of their own
        tasks = await collected(partial(page, project), lambda answer: [e.episode_id for e in answer.episodes])
        assert len(tasks) == len(set(tasks)) == TASKS + 3


async def test_where_too_many_episodes_have_a_word_the_rare_ones_rank_and_then_the_latest_come(
    filled: EpisodicMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_listing, "MAX_RANKED", 30)
    latest = await filled.search_episodes(query="mend page", limit=4)
    assert [e.task for e in latest.episodes] == [f"mend the {WORDS[i % 7]} page of shop {i % 13}" for i in (139, 138, 137, 136)]
    await filled.start_episode("mend this page", recall=False)
    assert (await filled.search_episodes(query="mend page", limit=4)).episodes[0].state == "open", "what goes on is the latest"
    mixed = await filled.search_episodes(query="mend the invoice page", limit=21)
    assert ["invoice" in e.task for e in mixed.episodes] == [True] * 20 + [False]


async def test_counting_stops_where_very_many_are_found_and_every_page_says_so(
    filled: EpisodicMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_listing, "MAX_COUNTED", 100)
    first = await filled.search_episodes(query="mend page", limit=50)
    second = await filled.search_episodes(query="mend page", limit=50, cursor=first.next_cursor)
    third = await filled.search_episodes(query="mend page", limit=50, cursor=second.next_cursor)
    assert [(p.total, p.more_than_total) for p in (first, second, third)] == [(100, True)] * 3
    assert len(third.episodes) == TASKS - 100, "what is not counted is shown"
    few = await filled.search_episodes(query="mend page", outcome="partial", limit=50)
    assert (few.total, few.more_than_total, len(few.episodes)) == (46, False, 46)
    assert (await filled.search_episodes(outcome="success")).total == 47
    monkeypatch.setattr(text_listing, "MAX_COUNTED", 30)
    some = await filled.search_episodes(outcome="success", limit=40)
    assert (some.total, some.more_than_total, len(some.episodes)) == (30, True, 40)
    assert (await filled.search_episodes()).total == TASKS, "an index counts a project's"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1 << 70, "1", True, None, []])
async def test_a_cursor_with_a_place_that_no_row_has_is_refused(filled: EpisodicMemory, value: Any) -> None:
    cursor = (await filled.search_episodes(query="mend", limit=5)).next_cursor
    assert cursor is not None
    *fields, key, row = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for forged in ([*fields, value, row], [*fields, key, value]):
        with pytest.raises(InvalidInput, match="cursor"):
            await filled.search_episodes(
                query="mend", limit=5, cursor=base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
            )


async def test_a_page_says_when_the_memory_has_changed_since_the_one_before(filled: EpisodicMemory) -> None:
    first = await filled.recall("mend the page", limit=50, budget_tokens=20_000)
    again = await filled.recall("mend the page", limit=50, budget_tokens=20_000, cursor=first.next_cursor)
    assert not any("changed" in text for text in again.degraded)
    started = await filled.start_episode("mend the page of shop 99", recall=False)
    await filled.recall("mend the page")
    begun = await filled.recall("mend the page", limit=50, budget_tokens=20_000, cursor=first.next_cursor)
    assert not any("changed" in text for text in begun.degraded), "an open episode is in no recall"
    await filled.complete_episode(started.episode_id, "success")
    after = await filled.recall("mend the page", limit=50, budget_tokens=20_000, cursor=first.next_cursor)
    assert any("changed" in text for text in after.degraded)
    patterns = await filled.search_patterns(limit=1)
    await filled.correct(patterns.patterns[0].pattern_id, "not so")
    assert any("changed" in text for text in (await filled.search_patterns(limit=1, cursor=patterns.next_cursor)).degraded)


async def test_an_explanation_is_of_one_moment_whatever_falls_in_between(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = StoreReads.evidence
    between: list[Callable[[], Coroutine[Any, Any, Any]]] = []

    def slow(self: StoreReads, ids: Any, *, limit_each: int = 50, details: bool = True) -> Any:
        if details and between:  # of what is shown, not of what confidence is made of
            anyio.from_thread.run(between.pop())
        return evidence(self, ids, limit_each=limit_each, details=details)

    async def record(name: str) -> None:
        started = await memory.start_episode(f"fix the {name} name lookup", recall=False)
        failed = {"tool": "shell", "action": "run", "status": "error", "error": "KeyError: 'name'"}
        await memory.log_steps(started.episode_id, [failed, {"tool": "editor", "action": "edit"}, {"tool": "shell", "action": "run"}])
        await memory.complete_episode(started.episode_id, "success")

    async def learn() -> None:
        await record("third")
        await memory.give_feedback(recalled.recommendation_id, "helped", used_ids=[key])
        await memory.recall("fix the name lookup")

    monkeypatch.setattr(StoreReads, "evidence", slow)
    async with open_memory(config) as memory:
        await record("first")
        await record("second")
        recalled = await memory.recall("fix the name lookup")
        key = recalled.patterns[0].pattern_id
        between.append(learn)
        detail = await memory.get_pattern(key)
    assert not between
    assert detail.confidence_from.confidence == pytest.approx(detail.pattern.confidence, abs=0.001)
    assert detail.confidence_from.helped == 1.0


async def test_what_an_edit_changes_is_what_is_read_again(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    vectors, traces = StoreReads.vectors, StoreReads.traces

    def read_vectors(self: StoreReads, space: str, **how: Any) -> Any:
        rows, rowid = vectors(self, space, **how)
        read.extend(f"vector {row.episode_id}" for row in rows)
        return rows, rowid

    def read_traces(self: StoreReads, **how: Any) -> Any:
        found = traces(self, **how)
        read.extend(f"trace {trace.id}" for trace in found)
        return found

    monkeypatch.setattr(StoreReads, "vectors", read_vectors)
    monkeypatch.setattr(StoreReads, "traces", read_traces)
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        await memory.import_lines(lines(40))
        await memory.settle()
        best = (await memory.recall("mend the login page of shop 0", limit=1)).episodes[0]
        assert len(read) == 80, "all is read at first"
        read.clear()
        await memory.update_episode(best.episode_id, add_tags=["kept"])
        tagged = await memory.recall("mend the login page of shop 0", limit=1, tags=["kept"])
        assert read == [f"trace {best.episode_id}"]
        assert (tagged.episodes[0].episode_id, tagged.episodes[0].similarity) == (best.episode_id, best.similarity)
        assert tagged.episodes[0].why["context"] > 0
        assert not tagged.degraded
        read.clear()
        await memory.update_episode(best.episode_id, task="water the plants")
        await memory.recall("water the plants", limit=1)
        await memory.settle()
        reworded = await memory.recall("water the plants", limit=1)
    assert read == [f"trace {best.episode_id}", f"vector {best.episode_id}"]
    assert reworded.episodes[0].episode_id == best.episode_id
    assert reworded.episodes[0].similarity == pytest.approx(1.0, abs=0.01)
    assert not reworded.degraded
