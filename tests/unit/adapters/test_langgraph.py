"""The store in real graphs of LangGraph, and beside LangGraph's own store: the same calls, the same answers."""

from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore, GetOp, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore

from mcp_memory import SyncMemory, open_memory_sync
from mcp_memory.adapters.langgraph import MemoryStore
from mcp_memory.config import Config
from mcp_memory.errors import InvalidInput


class State(TypedDict):
    task: str
    known: list[str]


@pytest.fixture
def opened(config: Config) -> Iterator[SyncMemory]:
    with open_memory_sync(config) as memory:
        yield memory


@pytest.fixture(params=["ours", "LangGraph's own"])
def store(request: pytest.FixtureRequest, opened: SyncMemory) -> BaseStore:
    """Both: what is asked of ours must be what LangGraph's own store does."""
    return MemoryStore(opened) if request.param == "ours" else InMemoryStore()


def fill(store: BaseStore) -> None:
    store.put(("users", "ana"), "food", {"text": "likes pizza with olives", "stars": 5})
    store.put(("users", "ana"), "work", {"text": "writes parsers in python", "stars": 3, "tags": ["code", "dates"]})
    store.put(("users", "bert"), "food", {"text": "eats no cheese", "stars": 1})
    store.put(("docs",), "intro", {"text": "a page on weeks", "nested": {"kind": "page"}})


def names(found: Any) -> set[tuple[tuple[str, ...], str]]:
    return {(item.namespace, item.key) for item in found}


def test_what_was_put_is_got_and_what_was_not_is_none(store: BaseStore) -> None:
    fill(store)
    item = store.get(("users", "ana"), "work")
    assert item is not None
    assert (item.value, item.key, item.namespace) == (
        {"text": "writes parsers in python", "stars": 3, "tags": ["code", "dates"]}, "work", ("users", "ana"),
    )  # fmt: skip
    assert item.created_at.tzinfo is not None
    assert store.get(("users", "ana"), "play") is None
    assert store.get(("users",), "work") is None


def test_a_put_over_an_item_replaces_it_and_none_deletes_it_until_it_is_put_again(store: BaseStore) -> None:
    fill(store)
    before = store.get(("docs",), "intro")
    store.put(("docs",), "intro", {"text": "another page"})
    after = store.get(("docs",), "intro")
    assert before is not None
    assert after is not None
    assert after.value == {"text": "another page"}
    assert after.updated_at >= before.updated_at
    store.delete(("docs",), "intro")
    assert store.get(("docs",), "intro") is None
    assert names(store.search(("docs",))) == set()
    store.put(("docs",), "intro", {"text": "once more"})
    assert names(store.search(("docs",))) == {(("docs",), "intro")}


def test_a_search_is_for_what_lies_below_a_namespace_and_fits_a_filter(store: BaseStore) -> None:
    fill(store)
    assert names(store.search(("users",))) == {(("users", "ana"), "food"), (("users", "ana"), "work"), (("users", "bert"), "food")}
    assert names(store.search(("users",), filter={"stars": {"$gte": 3}})) == {(("users", "ana"), "food"), (("users", "ana"), "work")}
    assert names(store.search((), filter={"nested": {"kind": "page"}})) == {(("docs",), "intro")}
    assert names(store.search(("user",))) == set(), "a label is matched as a whole"
    assert len(store.search(("users",), limit=2)) == 2
    pages = [store.search(("users",), limit=1, offset=n) for n in range(4)]
    assert [len(page) for page in pages] == [1, 1, 1, 0]
    assert len(names(item for page in pages for item in page)) == 3


def test_namespaces_are_listed_by_prefix_suffix_and_depth(store: BaseStore) -> None:
    fill(store)
    assert store.list_namespaces() == [("docs",), ("users", "ana"), ("users", "bert")]
    assert store.list_namespaces(prefix=("users", "*")) == [("users", "ana"), ("users", "bert")]
    assert store.list_namespaces(suffix=("ana",)) == [("users", "ana")]
    assert store.list_namespaces(max_depth=1) == [("docs",), ("users",)]
    assert store.list_namespaces(limit=1, offset=1) == [("users", "ana")]


def test_a_batch_reads_as_before_its_puts_and_the_last_put_of_a_key_counts(store: BaseStore) -> None:
    store.put(("a",), "k", {"n": 0})
    got, *_, found = store.batch([GetOp(("a",), "k"), PutOp(("a",), "k", {"n": 1}), PutOp(("a",), "k", {"n": 2}), SearchOp(("a",))])
    assert got.value == {"n": 0}  # type: ignore[union-attr]
    assert [item.value for item in found] == [{"n": 0}]  # type: ignore[union-attr]
    assert store.get(("a",), "k").value == {"n": 2}  # type: ignore[union-attr]


def test_a_query_finds_by_words_the_best_first_with_its_likeness(opened: SyncMemory) -> None:
    store = MemoryStore(opened)
    fill(store)
    found = store.search(("users",), query="who writes parsers", limit=2)
    assert (found[0].namespace, found[0].key) == (("users", "ana"), "work")
    assert found[0].score is not None
    assert store.search(("users", "bert"), query="parsers in python", filter={"stars": 5}) == []


def test_an_item_is_searched_by_the_fields_that_its_index_names(opened: SyncMemory) -> None:
    store = MemoryStore(opened)
    store.put(("n",), "some", {"title": "harbour", "body": "lighthouse"}, index=["title"])
    store.put(("n",), "none", {"title": "mountain", "body": "glacier"}, index=False)
    tasks = sorted(row.task for row in opened.search_episodes(project="langgraph").episodes)
    assert tasks == ["harbour", "n none"]


def test_an_attempt_that_a_graph_puts_is_an_episode_like_any_other(opened: SyncMemory) -> None:
    store = MemoryStore(opened, project="parser")
    steps = [{"tool": "shell", "arguments": {"command": "pytest"}, "error": "ValueError: week 53"}, {"tool": "edit"}]
    store.put(("runs",), "1", {"task": "Accept week numbers", "steps": steps, "outcome": {"kind": "success", "lessons": ["53 weeks"]}})
    (found,) = opened.recall("accept week numbers", project="parser").episodes
    assert (found.outcome, found.lessons[0]) == ("success", "53 weeks")
    assert opened.get_episode(found.episode_id, "steps").episode.steps[0].error == "ValueError: week 53"
    store.put(("runs",), "1", {"task": "Accept week numbers", "steps": [], "outcome": {"kind": "failure"}})
    assert [item.value["outcome"] for item in store.search(("runs",))] == [{"kind": "failure"}]


def test_what_cannot_be_kept_is_refused_and_nothing_is_there(opened: SyncMemory) -> None:
    store = MemoryStore(opened)
    with pytest.raises(InvalidInput):
        store.put(("a",), "large", {"text": "x" * 30_000})
    assert store.get(("a",), "large") is None
    with pytest.raises(InvalidInput, match="cannot be kept"):
        store.put(("a",), "wrong", {"task": "t", "outcome": {"kind": "perhaps"}})


def build(store: BaseStore) -> Any:
    def look(state: State, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        return {"known": [str(item.value["text"]) for item in runtime.store.search(("lessons",), query=state["task"], limit=1)]}

    def keep(state: State, runtime: Runtime[None]) -> dict[str, Any]:
        assert runtime.store is not None
        runtime.store.put(("lessons",), state["task"][:20], {"text": f"what was learnt at: {state['task']}"})
        return {}

    graph = StateGraph(State)
    graph.add_node("look", look)
    graph.add_node("keep", keep)
    graph.add_edge(START, "look")
    graph.add_edge("look", "keep")
    graph.add_edge("keep", END)
    return graph.compile(store=store)


def test_a_graph_recalls_in_a_later_run_and_process_what_an_earlier_one_kept(config: Config) -> None:
    with open_memory_sync(config) as memory:
        first = build(MemoryStore(memory)).invoke({"task": "Accept week numbers in the parser", "known": []})
    with open_memory_sync(config) as memory:
        second = build(MemoryStore(memory)).invoke({"task": "The parser refuses week numbers", "known": []})
    assert first["known"] == []
    assert second["known"] == ["what was learnt at: Accept week numbers in the parser"]


@pytest.mark.anyio
async def test_a_graph_with_an_event_loop_uses_the_same_store(opened: SyncMemory) -> None:
    graph = build(MemoryStore(opened))
    await graph.ainvoke({"task": "Accept week numbers in the parser", "known": []})
    assert (await graph.ainvoke({"task": "The parser refuses week numbers", "known": []}))["known"]
