"""The retriever over the in-memory store: what is found, in which order, and what is said about it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reward, Step, StepStatus
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.query import Filter, Query
from mcp_memory.domain.status import RetrievalStats
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Completion, Neighbours, VectorRow
from mcp_memory.retrieval.indexed_text import ACTIONS_CHARS
from mcp_memory.retrieval.retriever import LEXICAL_ONLY, Retriever
from mcp_memory.testing import InMemoryStore
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import Views

pytestmark = pytest.mark.anyio
SPACE, DIMENSION = "local:words:256", 256
NOW_MS = 10**12


def vector_of(text: str) -> np.ndarray:
    """Return a unit vector of the text's words, so that texts are alike as they share words."""
    vector = np.full(DIMENSION, 1e-3, np.float32)
    for word in text.lower().split():
        vector[int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest()) % DIMENSION] += 1
    return vector / np.linalg.norm(vector)


class Memory:
    """A store, its views and a retriever."""

    def __init__(self) -> None:
        self.store = InMemoryStore()
        self.views = Views(self.store, SignBitIndex, lambda: (SPACE,))
        self.views.load()
        self.now_ms = NOW_MS
        self.retriever = Retriever(self.store, RetrievalConfig(), Metrics(), lambda: self.now_ms)

    async def remember(
        self, id_: str, task: str, *, kind: str = "success", project: str = "p", embed: bool = True, **fields: object
    ) -> None:
        steps = fields.pop("steps", ())
        episode = Episode(
            id_, project, task, started_at_ms=NOW_MS, ended_at_ms=NOW_MS, state=EpisodeState.COMPLETED, context=Context(**fields),  # type: ignore[arg-type]
            outcome=Outcome(OutcomeKind(kind)), reward=Reward(1.0), steps=steps, step_count=len(steps),  # type: ignore[arg-type]
        )  # fmt: skip
        await self.store.import_episodes([Completion(episode, self.retriever.index_text(episode))])
        self.views.catch_up()
        if embed:
            await self.embed(id_, task)

    async def embed(self, id_: str, task: str) -> None:
        vector = vector_of(task)
        scale = float(np.abs(vector).max()) / 127
        await self.store.put_vectors(SPACE, [VectorRow(0, id_, 0, scale, np.rint(vector / scale).astype(np.int8).tobytes())])
        self.views.catch_up()

    async def vote(self, verdict: Verdict, id_: str) -> None:
        shown = Recommendation(f"r{self.store.change_seq()}", RecommendationKind.RECALL, "p", None, (id_,), NOW_MS)
        await self.store.put_recommendation(shown)
        await self.store.put_feedback(Feedback(f"of {shown.id}", shown.id, verdict, (id_,), None, "", False, NOW_MS))
        self.views.catch_up()

    def stats(self) -> RetrievalStats:
        with self.views.read() as v:
            return self.retriever.stats(v)

    def similar(self, query: Query, vectors: Mapping[str, np.ndarray], k: int) -> Neighbours:
        with self.views.read() as v:
            return self.retriever.similar(v, query, vectors, k)

    def ask(self, text: str, *, vectors: bool = True, **fields: Any) -> list[str]:
        return [m.episode_id for m in self.rank(text, vectors=vectors, **fields).matches]

    def rank(self, text: str, *, vectors: bool = True, limit: int = 5, strict: bool = False, exclude: Sequence[str] = (), **where: object):  # type: ignore[no-untyped-def]
        query = Query(text, Filter(**{"project": "p", **where}), limit, strict, frozenset(exclude))  # type: ignore[arg-type]
        found = {SPACE: np.stack([vector_of(t) for t in self.retriever.query_texts(text)])} if vectors else {}
        with self.views.read() as v:
            return self.retriever.rank(v, query, found)


@pytest.fixture
async def memory() -> Memory:
    memory = Memory()
    await memory.remember("date", "fix the date parser of the importer", framework="django")
    await memory.remember("cache", "speed up the thumbnail cache", framework="flask")
    await memory.remember("login", "users cannot log in after the upgrade", framework="django", kind="failure")
    return memory


async def test_the_episode_of_the_same_task_comes_first(memory: Memory) -> None:
    assert memory.ask("the date parser of the importer is broken")[0] == "date"


async def test_words_of_steps_and_errors_find_an_episode(memory: Memory) -> None:
    failing = Step("bash", "pytest", {"path": "tests/quux.py"}, "1 failed", StepStatus.ERROR, "FrobnicationError: no quux")
    await memory.remember("steps", "make it work", steps=(failing,))
    assert memory.ask("FrobnicationError", vectors=False) == ["steps"]
    assert memory.ask("tests/quux.py", vectors=False)[0] == "steps"


async def test_without_vectors_the_answer_is_lexical_and_says_so(memory: Memory) -> None:
    ranking = memory.rank("thumbnail cache", vectors=False)
    assert [m.episode_id for m in ranking.matches] == ["cache"]
    assert ranking.degraded == (LEXICAL_ONLY,)
    assert memory.rank("thumbnail cache").degraded == ()


async def test_an_episode_that_is_not_embedded_yet_is_found_by_its_words_and_missed_aloud(memory: Memory) -> None:
    await memory.remember("late", "rotate the signing keys", embed=False)
    ranking = memory.rank("rotate signing keys")
    assert ranking.matches[0].episode_id == "late"
    assert ranking.degraded == ("episodes that are not embedded yet, and are found by words only: 1",)
    await memory.embed("late", "rotate the signing keys")
    assert memory.rank("rotate signing keys").degraded == ()


async def test_projects_are_apart_unless_all_are_asked(memory: Memory) -> None:
    await memory.remember("other", "fix the date parser of the importer", project="q")
    assert "other" not in memory.ask("date parser", limit=50)
    assert memory.ask("date parser", project="q") == ["other"]
    assert {"other", "date"} <= set(memory.ask("date parser", project="*"))
    assert memory.ask("date parser", project="nobody") == []


async def test_context_is_a_boost_and_a_filter_only_when_strict(memory: Memory) -> None:
    assert len(memory.ask("date parser", framework="flask")) == 3
    assert memory.ask("date parser", framework="FLASK", strict=True) == ["cache"]
    assert memory.ask("date parser", outcome="failure", strict=True) == ["login"]
    assert memory.ask("date parser", since_ms=NOW_MS + 1, strict=True) == []
    assert memory.ask("date parser", state="open", strict=True) == []


async def test_the_better_of_two_equal_attempts_comes_first(memory: Memory) -> None:
    await memory.remember("failed", "rename the billing table", kind="failure")
    await memory.remember("worked", "rename the billing table")
    await memory.remember("failed again", "rename the billing table", kind="failure")
    assert memory.ask("rename the billing table")[:1] == ["worked"]


async def test_among_many_tasks_that_are_all_alike_a_little_more_likeness_does_not_outweigh_an_outcome() -> None:
    memory = Memory()
    for n in range(30):
        await memory.remember(f"other{n}", f"please change the delivery address of my latest order number {n}", kind="failure")
    customer = (Step("find_customer", "find_customer", {"customer": "quill_88"}, "found"),)
    await memory.remember("worked", "please change the place of my order", steps=customer)
    await memory.remember("failed", "please change the delivery address of my order", kind="failure", steps=customer)
    assert memory.ask("the customer is quill_88 and wants to change the delivery address of an order")[:2] == ["worked", "failed"]


async def test_why_names_every_component_and_the_score_is_a_fraction(memory: Memory) -> None:
    match = memory.rank("date parser of the importer", framework="django").matches[0]
    assert set(match.why) == {"lexical", "semantic", "context", "value", "recency", "feedback"}
    assert match.why["context"] == 1.5
    assert 0 < match.score < 1
    assert 0 < match.similarity <= 1


async def test_votes_decide_between_equals(memory: Memory) -> None:
    for id_ in ("a", "b"):
        await memory.remember(id_, "rename the billing table")
    await memory.vote(Verdict.HINDERED, "a")
    assert memory.ask("rename the billing table")[0] == "b"
    for _ in range(2):
        await memory.vote(Verdict.HELPED, "a")
    assert memory.ask("rename the billing table")[0] == "a"


async def test_removed_and_excluded_episodes_are_not_shown(memory: Memory) -> None:
    assert "date" not in memory.ask("date parser", exclude=["date"])
    await memory.store.delete_episodes(["date", "unknown"], "", NOW_MS)
    memory.views.catch_up()
    assert "date" not in memory.ask("date parser")
    assert memory.stats().traces == 2
    assert memory.stats().vectors == {SPACE: 2}


async def test_adding_the_same_vectors_again_changes_nothing(memory: Memory) -> None:
    await memory.embed("date", "fix the date parser of the importer")
    assert memory.stats().vectors == {SPACE: 3}


async def test_the_same_question_is_answered_from_the_cache_until_something_changes(memory: Memory) -> None:
    first = memory.rank("date parser")
    assert memory.rank("date parser") is first
    await memory.remember("new", "fix another date parser")
    assert memory.rank("date parser") is not first
    second = memory.rank("date parser")
    memory.now_ms += 3_600_000
    assert memory.rank("date parser") is not second
    assert memory.stats().query_cache.hits == 2


@pytest.mark.parametrize("text", ["", "   ", "?!", "…"])
async def test_text_without_a_word_lists_the_best_of_the_newest(memory: Memory, text: str) -> None:
    assert memory.ask(text, vectors=False) == ["cache", "date", "login"]


@pytest.mark.parametrize("text", ["🎉🔥", "日本語のクエリ", "AND OR NOT (", "x" * 10_000, "parser " * 1_500])
async def test_any_text_has_an_answer(memory: Memory, text: str) -> None:
    assert len(memory.ask(text)) <= 5
    assert len(memory.ask(text, vectors=False)) <= 5


async def test_a_word_nobody_used_finds_nothing_without_vectors(memory: Memory) -> None:
    ranking = memory.rank("xylophone", vectors=False)
    assert ranking.matches == ()
    assert ranking.considered == 0


async def test_a_word_nobody_used_is_counted_once_until_something_changes(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    count = memory.store.term_counts

    def noted(terms: Sequence[str], *, beginnings: bool = False) -> list[int]:
        counted.extend(terms)
        return count(terms, beginnings=beginnings)

    monkeypatch.setattr(memory.store, "term_counts", noted)
    for limit in (1, 2, 3):
        memory.rank("xylophone parser", limit=limit)
    assert sorted(counted) == ["parser", "xylophone"]
    await memory.remember("new", "tune the xylophone")
    assert memory.ask("xylophone parser")[0] == "new"
    assert counted.count("xylophone") == 2


async def test_an_empty_memory_answers_with_nothing() -> None:
    ranking = Memory().rank("anything")
    assert ranking.matches == ()
    assert ranking.degraded == ()


async def test_similar_tasks_are_measured_by_the_task_alone(memory: Memory) -> None:
    query = Query("fix the date parser of the importer", Filter(project="p", framework="flask"))
    vectors = {SPACE: vector_of(query.text)}
    similar = memory.similar(query, vectors, 2)
    assert similar[0] == ("date", pytest.approx(1.0, abs=0.01))
    assert len(similar) == 2
    lexical = memory.similar(query, {}, 2)
    assert lexical[0] == ("date", 1.0)
    without = memory.similar(Query(query.text, query.filter, exclude_ids=frozenset({"date"})), vectors, 3)
    assert "date" not in dict(without)


async def test_several_requests_in_one_query_each_find_their_episode(memory: Memory) -> None:
    await memory.remember("mail", "send the weekly report by mail")
    found = memory.ask("The thumbnail cache must get faster. And the weekly report must be sent.", limit=2)
    assert set(found) == {"cache", "mail"}


def test_what_is_indexed_is_bounded_and_begins_with_what_was_done() -> None:
    steps = tuple(Step("bash", "look", {"command": "look " + "x" * 1_000}, "y" * 10_000, index=i) for i in range(500))
    episode = Episode(
        "e", "p", "task", steps=steps, outcome=Outcome(OutcomeKind.SUCCESS, "summary", lessons=("a lesson",), artifacts=("a/b.py",))
    )
    text = Memory().retriever.index_text(episode)
    assert len(text.steps) < 3 * ACTIONS_CHARS
    assert text.steps.startswith('bash:look {"command": "look xxx')
    assert text.notes.split("\n")[:3] == ["summary", "a lesson", "a/b.py"]
    assert text.surroundings == ""


async def test_looking_further_moves_nothing_and_finds_every_episode_once() -> None:
    memory = Memory()
    words = ("date", "cache", "login", "mail", "table", "queue", "report")
    for i in range(230):
        await memory.remember(f"e{i}", f"fix the {words[i % 7]} {words[i % 5]} of module {i % 23}", embed=i % 3 > 0)
    query = Query("fix the date cache of module 4", Filter(project="p"), limit=50)
    found = {SPACE: np.stack([vector_of(query.text)])}
    with memory.views.read() as v:
        pages = [memory.retriever.rank(v, query, found, offset=offset).matches for offset in range(0, 300, 50)]
        whole = memory.retriever.rank(v, replace(query, limit=300), found).matches
    shown = [m.episode_id for page in pages for m in page]
    assert shown == [m.episode_id for m in whole]
    assert len(shown) == len(set(shown)) == 230
    assert [len(page) for page in pages] == [50, 50, 50, 50, 30, 0]
