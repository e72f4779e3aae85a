"""What every Store promises about episodes: the durable one, the dual one, the fake."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.domain import limits
from mcp_memory.domain.curation import Correction, Handoff, Link
from mcp_memory.domain.episode import Episode, EpisodeState, OutcomeKind, StepStatus, imported_id
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.query import RECORDED_ONLY, Change, ChangeKind, TextQuery
from mcp_memory.domain.requests.kinds import Object
from mcp_memory.domain.sources import Quarantine, Source, SourceKind
from mcp_memory.errors import Conflict, EpisodeClosed, InvalidInput, NotFound
from mcp_memory.ports import Completion, Store, VectorRow
from tests.contract.store_samples import CONTEXT, KINDS, complete, completion, episode, observation, open_store, step

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(request.param, tmp_path)
    yield opened
    await opened.aclose()


async def test_an_episode_comes_back_as_it_was_started(store: Store) -> None:
    await store.start_episode(episode("parent"))
    started = episode("a", context=CONTEXT, agent="coder", metadata={"k": [1, None, {"x": 2.5}]}, parent_id="parent", external_id="x/1")
    await store.start_episode(started)
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert replace(found, change_seq=0) == started
    assert found.change_seq > 0


async def test_missing_ids_come_back_as_none_in_order(store: Store) -> None:
    await store.start_episode(episode("a"))
    await complete(store, "b")
    found = store.get_episodes(["x", "b", "a", "", "b"])
    assert [e and e.id for e in found] == [None, "b", "a", None, "b"]


async def test_steps_are_numbered_in_call_order_and_come_back_equal(store: Store) -> None:
    await store.start_episode(episode("a"))
    first = [step(arguments={"n": 10**30, "nested": {"list": [1, "ü", None]}}, observation="o" * 5000, duration_ms=7, tokens=9)]
    second = [step("edit", status=StepStatus.ERROR, error="E: 🦀"), step("bash", status=StepStatus.TIMEOUT)]
    assert await store.append_steps("a", first) == 0
    assert await store.append_steps("a", second) == 1
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert found.step_count == 3
    assert found.steps == tuple(replace(s, index=i) for i, s in enumerate([*first, *second]))


async def test_concurrent_appends_get_consecutive_ranges(store: Store) -> None:
    await store.start_episode(episode("a"))
    firsts = await asyncio.gather(*(store.append_steps("a", [step(f"t{i}"), step(f"t{i}")]) for i in range(40)))
    assert firsts == list(range(0, 80, 2))
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert [s.tool for s in found.steps] == [f"t{i}" for i in range(40) for _ in range(2)]


async def test_steps_can_be_left_out(store: Store) -> None:
    await store.start_episode(episode("a"))
    await store.append_steps("a", [step()] * 3)
    await complete(store, "b", steps=2)
    found = store.get_episodes(["a", "b"], steps=False)
    assert [(e and e.steps, e and e.step_count) for e in found] == [((), 3), ((), 2)]


async def test_a_completed_episode_comes_back_whole_however_often_it_is_read(store: Store) -> None:
    done = completion(episode("a", context=CONTEXT), 2)
    await store.start_episode(episode("a", context=CONTEXT))
    await store.append_steps("a", [step(), step()])
    await store.complete_episode(done)
    for _ in range(3):
        found = store.get_episodes(["a"])[0]
        assert found is not None
        assert replace(found, change_seq=0) == done.episode


async def test_a_step_on_a_completed_episode_is_refused(store: Store) -> None:
    await complete(store, "a")
    with pytest.raises(EpisodeClosed):
        await store.append_steps("a", [step()])
    assert store.counts()["steps"] == 2


async def test_a_second_completion_is_refused_and_changes_nothing(store: Store) -> None:
    first = await complete(store, "a", reward=0.9)
    with pytest.raises(EpisodeClosed):
        await store.complete_episode(completion(episode("a"), 2, reward=0.1))
    assert store.get_episodes(["a"]) == [first]


async def test_a_completion_judged_on_other_steps_is_a_conflict_that_writes_nothing(store: Store) -> None:
    await store.start_episode(episode("a"))
    await store.append_steps("a", [step()] * 3)
    seq = store.change_seq()
    with pytest.raises(Conflict):
        await store.complete_episode(completion(episode("a"), 2, observations=(observation("x"),)))
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert found.state is EpisodeState.OPEN
    assert store.patterns() == []
    assert store.change_seq() == seq


@pytest.mark.parametrize("verb", ["append", "complete", "update", "link", "checkpoint"])
async def test_a_write_to_an_unknown_episode_is_not_found(store: Store, verb: str) -> None:
    await store.start_episode(episode("a"))
    writes: dict[str, Callable[[], Awaitable[Any]]] = {
        "append": lambda: store.append_steps("nobody", [step()]),
        "complete": lambda: store.complete_episode(completion(episode("nobody"), 0)),
        "update": lambda: store.update_episode("nobody", add_tags=["x"]),
        "link": lambda: store.put_link("a", "nobody", "related_to", "", 1),
        "checkpoint": lambda: store.put_checkpoint("c", "nobody", Handoff("go on"), 1),
    }
    with pytest.raises(NotFound):
        await writes[verb]()


async def test_ids_and_external_ids_are_unique(store: Store) -> None:
    await store.start_episode(episode("a", external_id="x"))
    with pytest.raises(InvalidInput):
        await store.start_episode(episode("a"))
    with pytest.raises(InvalidInput):
        await store.start_episode(episode("b", external_id="x"))
    await store.start_episode(episode("b", external_id="x", project="other"))
    assert store.find_external("p", ["x", "y"]) == ["a", None]
    assert store.find_external("other", ["x"]) == ["b"]


@pytest.mark.parametrize("field", ["parent_id", "follows"])
async def test_an_episode_cannot_refer_to_one_that_is_not_there(store: Store, field: str) -> None:
    referring: dict[str, Any] = {field: "nobody"}
    with pytest.raises(NotFound):
        await store.start_episode(episode("a", **referring))
    assert store.get_episodes(["a"]) == [None]


async def test_an_episode_has_a_limit_of_steps(store: Store) -> None:
    await store.start_episode(episode("a"))
    await store.append_steps("a", [step()] * limits.MAX_STEPS_PER_EPISODE)
    with pytest.raises(InvalidInput):
        await store.append_steps("a", [step()])
    assert store.counts()["steps"] == limits.MAX_STEPS_PER_EPISODE


async def test_a_text_that_is_no_text_is_refused_and_the_store_goes_on(store: Store) -> None:
    if type(store).__name__ == "InMemoryStore":
        await store.start_episode(episode("a"))  # a dict keeps half characters; nothing to refuse
        return
    await store.start_episode(episode("a"))
    with pytest.raises(InvalidInput):
        await store.append_steps("a", [step(observation="half \ud83d emoji")])
    assert await store.append_steps("a", [step()]) == 0


async def test_the_deepest_arguments_the_door_lets_in_can_be_read_back(store: Store) -> None:
    nested: dict[str, object] = {}
    for _ in range(limits.MAX_JSON_DEPTH - 1):
        nested = {"a": nested}
    assert Object(max_bytes=100_000).read(nested) == nested
    with pytest.raises(InvalidInput):
        Object(max_bytes=100_000).read({"a": nested})
    await store.start_episode(episode("a"))
    await store.append_steps("a", [step(arguments=nested)])
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert found.steps[0].arguments == nested


async def test_the_change_feed_names_every_change_once_in_order(store: Store) -> None:
    assert store.change_seq() == 0
    await complete(store, "a")
    await store.append_steps("b", [step()]) if store.get_episodes(["b"])[0] else None
    await store.update_episode("a", add_tags=["t"])
    await store.delete_episodes(["a"], "test", 1)
    feed = store.changes_after(0)
    assert [(c.kind, c.entity_id) for c in feed] == [
        (ChangeKind.EPISODE_STARTED, "a"),
        (ChangeKind.EPISODE_COMPLETED, "a"),
        (ChangeKind.EPISODE_UPDATED, "a"),
        (ChangeKind.EPISODE_DELETED, "a"),
    ]
    assert store.change_seq() == feed[-1].seq
    assert store.changes_after(feed[1].seq, limit=1) == [Change(feed[2].seq, ChangeKind.EPISODE_UPDATED, "a")]


async def test_the_feed_names_every_kind_of_fact_by_its_id_and_answers_move_with_some(store: Store) -> None:
    await complete(store, "a", steps=1)
    await store.start_episode(episode("b"))
    answered = store.change_seq()
    await store.append_steps("b", [step()])
    await store.put_checkpoint("c1", "b", Handoff("go on"), 1)
    link = await store.put_link("a", "b", "related_to", "", 1)
    assert await store.remove_link("a", "b", "related_to")
    await store.put_recommendation(Recommendation("r1", RecommendationKind.RECALL, "p", "b", ("a",), 1))
    assert store.change_seq() == answered
    await store.put_feedback(Feedback("v1", "r1", Verdict.HELPED, (), None, "", False, 1))
    correction = await store.put_correction("a", Correction("x"), 1)
    await store.put_vectors("s", [VectorRow(0, "a", 0, 1.0, b"\1")])
    await store.abandon_episodes(["b"], 5)
    await store.delete_episodes(["b"], "", 1)
    await store.put_quarantine(Quarantine(Source(SourceKind.AGENT, "x"), "", "", 1), active=True)
    facts = store.facts_after(0)
    assert [(c.kind, c.entity_id) for c in facts] == [
        (ChangeKind.EPISODE_STARTED, "a"),
        (ChangeKind.EPISODE_COMPLETED, "a"),
        (ChangeKind.EPISODE_STARTED, "b"),
        (ChangeKind.CHECKPOINT, "c1"),
        (ChangeKind.LINK, link),
        (ChangeKind.LINK, link),
        (ChangeKind.RECOMMENDATION, "r1"),
        (ChangeKind.FEEDBACK, "v1"),
        (ChangeKind.CORRECTION, correction),
        (ChangeKind.VECTORS_ADDED, "s"),
        (ChangeKind.EPISODE_ABANDONED, "b"),
        (ChangeKind.EPISODE_DELETED, "b"),
        (ChangeKind.QUARANTINE, "agent/x"),
    ]
    assert {c.kind for c in facts} | {ChangeKind.EPISODE_UPDATED} == set(ChangeKind)
    assert store.changes_after(0) == [c for c in facts if c.kind not in RECORDED_ONLY]
    assert store.facts_after(facts[3].seq, limit=2) == facts[4:6]
    assert store.change_seq() == facts[-1].seq


async def test_traces_come_in_order_of_completion(store: Store) -> None:
    await store.start_episode(episode("late"))
    await complete(store, "a", steps=3, errors=((1, "ImportError: X"),), digest={"v": 1, "args": "00ff"}, context=CONTEXT)
    await store.complete_episode(completion(episode("late"), 0))
    first, second = store.traces()
    assert (first.id, second.id) == ("a", "late")
    assert first.seq < second.seq
    assert (first.step_keys, first.step_failed) == (("bash:run",) * 3, b"\0\0\0")
    assert (first.errors, first.digest, first.tags) == (((1, "ImportError: X"),), {"v": 1, "args": "00ff"}, CONTEXT.tags)
    assert (first.outcome, first.reward, first.ended_at_ms) == ("success", 0.75, 61_000)
    assert store.traces(after_seq=first.seq) == [second]
    assert store.traces(limit=1) == [first]
    assert store.traces(ids=["late", "nobody"]) == [second]


async def test_edits_show_at_once_in_episode_and_trace_and_leave_the_rest(store: Store) -> None:
    before = await complete(store, "a", context=CONTEXT)
    await store.update_episode("a", add_tags=["new"], remove_tags=["urgent", "absent"], metadata={"k": 1, "gone": 2})
    await store.update_episode("a", metadata={"gone": None}, task="read the manual")
    after = store.get_episodes(["a"])[0]
    assert after is not None
    assert set(after.context.tags) == {"parser", "new"}
    assert after.metadata == {"k": 1}
    assert after.task == "read the manual"
    assert after.change_seq > before.change_seq
    assert (after.steps, after.outcome, after.reward) == (before.steps, before.outcome, before.reward)
    trace = store.traces(ids=["a"])[0]
    assert (trace.task, set(trace.tags)) == ("read the manual", {"parser", "new"})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_clock_that_goes_back_loses_no_edit_link_or_correction(kind: str, tmp_path: Path) -> None:
    now_ms = [5_000_000]
    store = await open_store(kind, tmp_path, clock=lambda: now_ms[0])
    await complete(store, "a")
    await store.start_episode(episode("b"))
    for n in range(3):
        await store.update_episode("a", task=f"task {n}", metadata={"k": n}, add_tags=["t"])
        link = await store.put_link("a", "b", "related_to", f"note {n}", now_ms[0])
        await store.put_correction("a", Correction(f"text {n}"), now_ms[0])
        now_ms[0] -= 1_000
    await store.update_episode("a", remove_tags=["t"])
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert (found.task, found.metadata, found.context.tags) == ("task 2", {"k": 2}, ())
    assert store.links(["b"]) == {link: Link("a", "b", "related_to", "note 2")}
    assert store.corrections(["a"]) == store.corrections() == {"a": Correction("text 2")}
    await store.aclose()


async def test_an_episode_read_again_and_again_is_told_as_it_is_now(store: Store) -> None:
    await complete(store, "a", steps=2)
    read = [store.get_episodes(["a"])[0] for _ in range(3)]
    assert read == [read[0]] * 3
    await store.update_episode("a", add_lessons=["check the year first"])
    edited = [store.get_episodes(["a"])[0] for _ in range(3)]
    assert [found and found.outcome and found.outcome.lessons[-1:] for found in edited] == [("check the year first",)] * 3
    await store.delete_episodes(["a"], "no longer wanted", 5)
    assert [store.get_episodes(["a"])[0] for _ in range(3)] == [None] * 3


async def test_an_open_episode_that_was_edited_keeps_its_edits_when_it_completes(store: Store) -> None:
    await store.start_episode(episode("a"))
    await store.update_episode("a", task="read the manual", add_tags=["new"])
    await store.complete_episode(completion(episode("a"), 0))
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert (found.task, found.context.tags) == ("read the manual", ("new",))
    assert store.traces()[0].task == "read the manual"


async def test_only_open_episodes_are_abandoned(store: Store) -> None:
    await complete(store, "done")
    await store.start_episode(episode("open"))
    await store.append_steps("open", [step()])
    assert await store.abandon_episodes(["done", "open", "nobody"], 77) == 1
    done, abandoned = store.get_episodes(["done", "open"])
    assert done is not None
    assert abandoned is not None
    assert done.state is EpisodeState.COMPLETED
    assert (abandoned.state, abandoned.ended_at_ms, abandoned.step_count) == (EpisodeState.ABANDONED, 77, 1)
    with pytest.raises(EpisodeClosed):
        await store.append_steps("open", [step()])


async def test_an_import_takes_whole_episodes_and_is_idempotent(store: Store) -> None:
    steps = tuple(step(index=i, observation=f"out {i}") for i in range(3))
    done = completion(episode("a", external_id="x/1", steps=steps), 3)
    still_open = episode("b", external_id="x/2", steps=steps, step_count=3)
    assert await store.import_episodes([done, still_open, replace(done, episode=replace(done.episode, id="c"))]) == [True, True, False]
    again: list[Completion | Episode] = [replace(done, episode=replace(done.episode, id="d")), replace(still_open, id="e")]
    assert await store.import_episodes(again) == [False, False]
    first, second = store.get_episodes(["a", "b"])
    assert first is not None
    assert second is not None
    assert replace(first, change_seq=0) == done.episode
    assert replace(second, change_seq=0) == still_open
    assert await store.append_steps("b", [step()]) == 3
    assert store.counts()["episodes"] == 2


async def test_an_import_that_fails_adds_nothing(store: Store) -> None:
    await store.start_episode(episode("taken"))
    with pytest.raises(InvalidInput):
        await store.import_episodes([completion(episode("a"), 0), completion(episode("taken"), 0)])
    assert store.get_episodes(["a"]) == [None]
    assert store.counts()["episodes"] == 1


async def test_imported_references_are_resolved_in_whatever_order_they_come(store: Store) -> None:
    second = completion(episode("b", external_id="x/2", follows="x/1", parent_id="x/1"), 0)
    first = completion(episode("a", external_id="x/1"), 0)
    third = completion(episode("c", external_id="x/3", follows="x/2"), 0)
    assert await store.import_episodes([third]) == [True]
    assert await store.import_episodes([second, first]) == [True, True]
    found = {e.id: e for e in store.get_episodes(["a", "b", "c"]) if e}
    assert (found["b"].follows, found["b"].parent_id, found["c"].follows) == ("a", "a", "b")
    links = {(link.from_id, link.to_id, link.type) for link in store.links(["b"]).values()}
    assert links == {("a", "b", "parent_child"), ("b", "a", "follows"), ("c", "b", "follows")}


async def test_who_follows_an_episode_that_is_imported_later_is_told_everywhere(store: Store) -> None:
    await store.import_episodes([completion(episode("b", external_id="x/2", follows="x/1"), 0)])
    (before,) = store.get_episodes(["b"])  # so that a copy is made, which must not grow stale
    await store.import_episodes([completion(episode("a", external_id="x/1"), 0)])
    (after,) = store.get_episodes(["b"])
    assert before is not None
    assert after is not None
    assert (before.follows, after.follows) == (None, "a")
    assert [trace.follows for trace in store.traces(ids=["b"])] == ["a"]
    assert (ChangeKind.EPISODE_UPDATED, "b") in [(c.kind, c.entity_id) for c in store.changes_after(0)]


async def test_an_imported_thread_that_bites_its_tail_is_taken_as_it_is(store: Store) -> None:
    items = [completion(episode(x, external_id=x, follows=y), 0) for x, y in (("a", "b"), ("b", "a"), ("c", "c"))]
    assert await store.import_episodes(items) == [True, True, True]
    assert {e and e.follows for e in store.get_episodes(["a", "b"])} == {"a", "b"}


async def test_nothing_brings_a_deleted_episode_back(store: Store) -> None:
    await complete(store, "a")
    await store.start_episode(episode("b"))
    await store.put_recommendation(Recommendation("r1", RecommendationKind.RECALL, "p", "b", (), 1))
    done = completion(episode(imported_id("p", "x/1"), external_id="x/1"), 0)
    assert await store.import_episodes([done]) == [True]
    await store.start_episode(episode("drawn", external_id="x/2"))  # as an import before ids were derived
    await store.delete_episodes(["a", done.episode.id, "drawn"], "test", 1)
    seq, counts = store.facts_after(0)[-1].seq, store.counts()
    late: list[Callable[[], Awaitable[Any]]] = [
        lambda: store.append_steps("a", [step()]),
        lambda: store.complete_episode(completion(episode("a"), 0)),
        lambda: store.update_episode("a", add_tags=["x"]),
        lambda: store.put_link("b", "a", "related_to", "", 1),
        lambda: store.remove_link("b", "a", "related_to"),
        lambda: store.put_checkpoint("c", "a", Handoff("go on"), 1),
        lambda: store.put_correction("a", Correction("x"), 1),
        lambda: store.put_feedback(Feedback("v", "r1", Verdict.HELPED, (), None, "", False, 1, "a")),
    ]
    for write in late:
        with pytest.raises(NotFound, match="was deleted"):
            await write()
    with pytest.raises(InvalidInput, match="was deleted"):
        await store.start_episode(episode("a"))
    again = completion(episode(imported_id("p", "x/2"), external_id="x/2"), 0)
    assert await store.import_episodes([done, again, completion(episode("a"), 0)]) == [False] * 3
    await store.put_vectors("s", [VectorRow(0, "a", 0, 1.0, b"\1")])
    await store.put_recommendation(Recommendation("r2", RecommendationKind.RECALL, "p", "a", (), 1))
    assert await store.abandon_episodes(["a"], 1) == 0
    assert store.facts_after(seq) == []
    assert store.counts() == counts


async def test_deleting_takes_all_that_hangs_on_an_episode(store: Store) -> None:
    await complete(store, "a", observations=(observation("x"), observation("y")))
    await complete(store, "b", observations=(observation("y", success=False),))
    await store.put_link("a", "b", "related_to", "", 1)
    await store.put_checkpoint("c", "a", Handoff("go on"), 1)
    counts = await store.delete_episodes(["a", "a", "nobody"], "asked to", 5)
    wanted = {"episodes": 1, "steps": 2, "evidence": 2, "patterns": 1, "links": 1, "checkpoints": 1, "vectors": 0}
    assert {k: counts[k] for k in wanted} == wanted
    assert store.get_episodes(["a"]) == [None]
    assert [t.id for t in store.traces()] == ["b"]
    assert [(p.description, p.support, p.failures) for p in store.patterns()] == [("pattern y", 1, 1)]
    assert store.links(["b"]) == {}
    assert store.checkpoint("c") is None
    assert [h.episode_id for h in store.search_text(TextQuery(("pytest",)), project="p", limit=5)] == ["b"]
    assert store.check() == []


async def test_counts_are_by_project(store: Store) -> None:
    await complete(store, "a", steps=3, observations=(observation("x"),))
    await complete(store, "b", steps=1, project="q", observations=(observation("x"),), outcome=OutcomeKind.FAILURE)
    await store.start_episode(episode("c", project="q"))
    await store.append_steps("c", [step()])
    await store.abandon_episodes(["c"], 5)
    everything, of_q, of_both = store.counts(), store.counts("q"), store.counts("p", "q")
    assert {k: everything[k] for k in ("episodes", "completed", "abandoned", "open", "steps", "patterns", "evidence")} == {
        "episodes": 3, "completed": 2, "abandoned": 1, "open": 0, "steps": 5, "patterns": 1, "evidence": 2,
    }  # fmt: skip
    assert {k: of_q[k] for k in ("episodes", "completed", "steps", "patterns", "evidence")} == {
        "episodes": 2, "completed": 1, "steps": 2, "patterns": 1, "evidence": 1,
    }  # fmt: skip
    assert set(everything) == set(of_q)
    assert of_both == everything, "a pattern of both is one"


async def test_info_says_where_and_how_the_data_is_kept(store: Store) -> None:
    info = store.info()
    assert info.path
    assert info.replica_id
    assert info.synchronous
    assert info.journal_mode
    assert info.queue_depth == 0
