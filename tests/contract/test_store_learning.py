"""What every Store promises about patterns, evidence, votes, links, checkpoints and corrections."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mcp_memory.domain.curation import Correction, Handoff, Link
from mcp_memory.domain.episode import OutcomeKind
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.pattern import PatternKind
from mcp_memory.domain.query import ChangeKind, Filter, Sort, TextQuery
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.ports import Store
from tests.contract.store_samples import KINDS, complete, completion, episode, observation, open_store

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(request.param, tmp_path)
    yield opened
    await opened.aclose()


def recommendation(id_: str, shown: tuple[str, ...] = ("a",), **fields: Any) -> Recommendation:
    return Recommendation(
        **{"id": id_, "kind": RecommendationKind.RECALL, "project": "p", "episode_id": None, "shown_ids": shown, "at_ms": 5, **fields}
    )


def vote(id_: str, about: str, **fields: object) -> Feedback:
    defaults = {
        "verdict": Verdict.HELPED,
        "used_ids": ("a",),
        "rating": 0.5,
        "note": "n",
        "implicit": False,
        "at_ms": 6,
        "episode_id": None,
    }
    return Feedback(**({"id": id_, "recommendation_id": about} | defaults | fields))  # type: ignore[arg-type]


async def test_the_same_lesson_from_two_episodes_is_one_pattern_with_two_pieces_of_evidence(store: Store) -> None:
    await complete(store, "a", observations=(observation("x", detail={"steps": [1, 2]}, weight=2.0), observation("y")), ended_at_ms=100_000)
    await complete(store, "b", observations=(observation("x", success=False),), ended_at_ms=200_000)
    x, y = store.patterns()
    assert (x.description, x.support, x.successes, x.failures) == ("pattern x", 2, 1, 1)
    assert (x.first_at_ms, x.last_at_ms, x.project) == (100_000, 200_000, "p")
    assert (y.description, y.support) == ("pattern y", 1)
    assert x.id == observation("x").pattern_id
    newest, oldest = store.evidence([x.id, "nothing"])[x.id]
    assert (newest.episode_id, newest.success, newest.detail) == ("b", False, {})
    assert (oldest.episode_id, oldest.success, oldest.weight, oldest.detail, oldest.at_ms) == ("a", True, 2.0, {"steps": [1, 2]}, 100_000)
    assert store.evidence([x.id], limit_each=1) == {x.id: [newest]}
    assert store.evidence([x.id], limit_each=1, details=False) == {x.id: [newest]}
    assert store.evidence([x.id], details=False)[x.id][1].detail == {}
    assert store.episode_patterns(["a", "b", "nobody"]) == {"a": sorted([x.id, y.id]), "b": [x.id], "nobody": []}


async def test_tallies_say_which_patterns_episodes_speak_for_and_how_these_are_counted(store: Store) -> None:
    await complete(store, "a", observations=(observation("x"), observation("y"), observation("x")))
    await complete(store, "b", project="q", observations=(observation("x", success=False),))
    x, y = observation("x").pattern_id, observation("y").pattern_id
    kind = observation("x").kind
    other = next(one for one in PatternKind if one is not kind)
    in_p = [("a", x, kind, 2, 0), ("a", y, kind, 1, 0)]
    assert sorted(store.pattern_tallies(["a", "nobody"], project="p")) == sorted(in_p)
    anywhere = [("a", x, kind, 2, 1), ("a", y, kind, 1, 0), ("b", x, kind, 2, 1)]
    assert sorted(store.pattern_tallies(["a", "b"])) == sorted(anywhere)
    assert sorted(store.pattern_tallies(["a", "nobody"], project="p", kinds=[kind])) == sorted(in_p)
    assert store.pattern_tallies(["a", "b"], kinds=[other]) == store.pattern_tallies(["a"], project="p", kinds=[other]) == []
    assert store.pattern_tallies([]) == []


async def test_several_observations_of_one_episode_are_one_support(store: Store) -> None:
    await complete(store, "a", observations=(observation("x"), observation("x", success=False), observation("x")))
    (pattern,) = store.patterns()
    assert (pattern.support, pattern.successes, pattern.failures) == (1, 2, 1)
    assert len(store.evidence([pattern.id])[pattern.id]) == 3


async def test_patterns_are_counted_in_the_project_asked_for(store: Store) -> None:
    await complete(store, "a", observations=(observation("x"), observation("y")))
    await complete(store, "b", project="q", observations=(observation("x", success=False),))
    x = observation("x").pattern_id
    assert [(p.support, p.failures, p.project) for p in store.patterns(project="q")] == [(1, 1, "q")]
    assert [(p.support, p.failures, p.project) for p in store.patterns(ids=[x])] == [(2, 1, "*")]
    assert [p.support for p in store.patterns(ids=[x, x, "nothing"], project="p")] == [1]
    assert store.patterns(ids=[observation("y").pattern_id], project="q") == []
    assert [p.id for p in store.patterns(min_support=2)] == [x]
    assert store.patterns(kind="error_recovery") == []
    assert len(store.patterns(kind="tool_sequence")) == 2
    assert [p.id for p in store.patterns(limit=1)] == [x]


async def test_patterns_are_found_by_any_word_of_their_description_in_any_case(store: Store) -> None:
    await complete(store, "a", observations=(observation("Timeout"), observation("Ошибка"), observation("100%")))
    await complete(store, "b", project="q", observations=(observation("timeout again"),))
    for project in ("p", "*"):
        assert "pattern Timeout" in [p.description for p in store.patterns(words=["timeout", "nothing"], project=project)]
        assert [p.description for p in store.patterns(words=["ошибка"], project=project)] == ["pattern Ошибка"]
        assert [p.description for p in store.patterns(words=["100%"], project=project)] == ["pattern 100%"]
    assert len(store.patterns(words=["timeout"])) == 2
    assert store.patterns(words=["nothing"]) == []


async def test_where_more_patterns_have_a_word_than_are_wanted_those_with_most_of_the_words_are_taken(store: Store) -> None:
    names = ("timeout", "timeout of pandas", "pandas")
    for supported, name in enumerate(("pandas", "timeout", "timeout of pandas")):  # the one with both words is supported least
        for number in range(3 - supported):
            await complete(store, f"{name} {number}", observations=(observation(name),))
    for project in ("p", "*"):
        found = store.patterns(words=["timeout", "pandas"], project=project, limit=2)
        assert [p.description for p in found] == ["pattern pandas", "pattern timeout of pandas"]
        assert len(store.patterns(words=["timeout", "pandas"], project=project)) == len(names)


async def test_the_best_patterns_anywhere_are_those_with_the_largest_sums_however_they_are_spread(store: Store) -> None:
    spread = {"thin": {"p": 2, "q": 2, "r": 2}, "one place": {"p": 3}, "two places": {"q": 3, "r": 2}, "rare": {"r": 1}}
    for name, projects in spread.items():
        for project, times in projects.items():
            for number in range(times):
                await complete(store, f"{name} {project} {number}", project=project, observations=(observation(name),))
    assert [(p.description, p.support) for p in store.patterns(limit=2)] == [("pattern thin", 6), ("pattern two places", 5)]
    assert [p.support for p in store.patterns(min_support=2)] == [6, 5, 3]
    assert [p.support for p in store.patterns(limit=1)] == [6]


async def test_another_outcome_lies_over_the_record_and_its_evidence_takes_the_place_of_the_first(store: Store) -> None:
    done = await complete(store, "a", observations=(observation("x"), observation("y")), text="pytest")
    await complete(store, "b", observations=(observation("x"),), reward=0.5)
    judged = completion(done, 2, outcome=OutcomeKind.FAILURE, reward=0.1, observations=(observation("x", success=False), observation("z")))
    await store.replace_outcome(replace(judged, errors=((0, "E"),)), metadata={"outcome_before": "success"}, add_lessons=["mind the zone"])
    found = store.get_episodes(["a"])[0]
    assert found is not None
    assert found.outcome is not None
    assert (found.outcome.kind, found.outcome.lessons, found.reward) == (
        "failure",
        ("run the tests first", "mind the zone"),
        judged.episode.reward,
    )
    assert found.metadata == {"outcome_before": "success"}
    assert {p.description: (p.successes, p.failures) for p in store.patterns()} == {"pattern x": (1, 1), "pattern z": (1, 0)}
    (trace,) = store.traces(ids=["a"])
    assert (trace.outcome, trace.reward, trace.errors, trace.seq) == ("failure", 0.1, ((0, "E"),), store.traces()[0].seq)
    assert store.list_episodes(Filter(outcome="failure"), sort=Sort.REWARD, limit=5, cursor=None).ids == ("a",)
    assert store.list_episodes(Filter(), sort=Sort.REWARD, limit=5, cursor=None).ids == ("b", "a")
    assert [hit.episode_id for hit in store.search_text(TextQuery(("zone",)), project="p", limit=5)] == ["a"]
    assert store.changes_after(0)[-1].kind == ChangeKind.EPISODE_UPDATED
    assert store.check() == []


async def test_only_a_completed_episode_gets_another_outcome(store: Store) -> None:
    await store.start_episode(episode("a"))
    with pytest.raises(InvalidInput, match="open"):
        await store.replace_outcome(completion(episode("a"), 0), metadata={})
    with pytest.raises(NotFound):
        await store.replace_outcome(completion(episode("nothing"), 0), metadata={})


async def test_imported_episodes_bring_their_evidence(store: Store) -> None:
    items = [completion(episode(f"e{i}", external_id=f"{i}"), 0, observations=(observation("x"),)) for i in range(3)]
    await store.import_episodes(items)
    assert [p.support for p in store.patterns(project="p")] == [3]
    assert store.check() == []


async def test_deleting_an_episode_takes_its_evidence_from_the_counts(store: Store) -> None:
    for i in range(3):
        await complete(store, f"e{i}", at_ms=1000 * i, observations=(observation("x", success=i > 0),))
    await store.delete_episodes(["e0"], "", 1)
    (x,) = store.patterns(project="p")
    assert (x.support, x.successes, x.failures, x.first_at_ms) == (2, 2, 0, 61_000)
    assert store.check() == []


async def test_recommendations_are_found_by_id_and_by_episode(store: Store) -> None:
    first, second = recommendation("r1", ("a", "b"), episode_id="e"), recommendation("r2", kind=RecommendationKind.PLAYBOOK)
    await store.put_recommendation(first)
    await store.put_recommendation(second)
    await store.put_recommendation(recommendation("r1", ("changed",)))
    assert store.recommendations(ids=["r2", "nothing", "r1"]) == [second, first]
    assert store.recommendations(episode_id="e") == [first]
    assert store.recommendations(episode_id="nobody") == []
    assert store.counts()["recommendations"] == 2


async def test_votes_come_back_in_order_with_what_they_are_about(store: Store) -> None:
    about, elsewhere = recommendation("r1"), recommendation("r2", project="q")
    await store.put_recommendation(about)
    await store.put_recommendation(elsewhere)
    first, second = vote("v1", "r1"), vote("v2", "r2", verdict=Verdict.HINDERED, rating=None, used_ids=(), implicit=True, episode_id="e")
    await store.put_feedback(first)
    rows, at = store.feedback()
    assert rows == [(first, about)]
    await store.put_feedback(second)
    await store.put_feedback(first)
    assert store.feedback(after_rowid=at)[0] == [(second, elsewhere)]
    assert store.feedback(project="p")[0] == [(first, about)]
    assert [c.entity_id for c in store.changes_after(0) if c.kind == ChangeKind.FEEDBACK] == ["v1", "v2"]


async def test_a_vote_on_nothing_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.put_feedback(vote("v", "nothing"))
    assert store.feedback()[0] == []


async def test_votes_of_a_completion_are_committed_with_it_and_strays_are_dropped(store: Store) -> None:
    await store.put_recommendation(recommendation("r1"))
    await complete(store, "a", feedback=(vote("v1", "r1", implicit=True), vote("v2", "gone", implicit=True)))
    assert [v.id for v, _ in store.feedback()[0]] == ["v1"]


async def test_deleting_an_episode_takes_what_was_shown_to_it_and_what_it_said(store: Store) -> None:
    await complete(store, "a")
    await store.put_recommendation(recommendation("r1", episode_id="a"))
    await store.put_recommendation(recommendation("r2"))
    await store.put_feedback(vote("v1", "r1"))
    await store.put_feedback(vote("v2", "r2", episode_id="a"))
    await store.put_feedback(vote("v3", "r2"))
    counts = await store.delete_episodes(["a"], "", 1)
    assert (counts["recommendations"], counts["feedback"]) == (1, 2)
    assert [v.id for v, _ in store.feedback()[0]] == ["v3"]


async def test_the_latest_correction_counts(store: Store) -> None:
    await store.put_correction("pat_1", Correction("first"), 1)
    await store.put_correction("pat_1", Correction("second"), 2)
    await store.put_correction("pat_2", Correction("other"), 3)
    assert store.corrections(["pat_1", "nothing"]) == {"pat_1": Correction("second")}
    assert store.corrections() == {"pat_1": Correction("second"), "pat_2": Correction("other")}


async def test_a_link_put_twice_is_one_and_can_be_removed_and_put_again(store: Store) -> None:
    for x in "abc":
        await store.start_episode(episode(x))
    link = await store.put_link("a", "b", "related_to", "first", 1)
    assert await store.put_link("a", "b", "related_to", "second", 2) == link
    assert store.links(["b"]) == {link: Link("a", "b", "related_to", "second")}
    assert store.links(["c"]) == {}
    assert store.counts()["links"] == 1
    assert await store.remove_link("a", "b", "related_to")
    assert not await store.remove_link("a", "b", "related_to")
    assert store.links(["a"]) == {}
    assert await store.put_link("a", "b", "related_to", "third", 3) == link
    assert len(store.links(["a", "b"])) == 1


@pytest.mark.parametrize("kind", ["parent_child", "depends_on", "follows"])
async def test_a_cycle_is_refused_and_names_the_path(store: Store, kind: str) -> None:
    for x in "abcd":
        await store.start_episode(episode(x))
    for x, y in ("ab", "bc", "ad", "dc"):
        await store.put_link(x, y, kind, "", 1)
    with pytest.raises(InvalidInput, match=r"c -> a -> [bd] -> c"):
        await store.put_link("c", "a", kind, "", 1)
    assert len(store.links(["a", "b", "c", "d"])) == 4
    with pytest.raises(InvalidInput):
        await store.put_link("a", "a", kind, "", 1)


async def test_a_removed_link_closes_no_cycle_and_loose_types_may_run_in_circles(store: Store) -> None:
    for x in "ab":
        await store.start_episode(episode(x))
    await store.put_link("a", "b", "depends_on", "", 1)
    await store.remove_link("a", "b", "depends_on")
    await store.put_link("b", "a", "depends_on", "", 1)
    await store.put_link("a", "b", "references", "", 1)
    await store.put_link("b", "a", "references", "", 1)
    assert len(store.links(["a"])) == 3


async def test_what_an_episode_starts_with_is_linked(store: Store) -> None:
    await store.start_episode(episode("a"))
    await store.start_episode(episode("b", parent_id="a", follows="a"))
    assert {(link.from_id, link.to_id, link.type) for link in store.links(["b"]).values()} == {
        ("a", "b", "parent_child"),
        ("b", "a", "follows"),
    }


async def test_checkpoints_are_found_by_id_and_the_latest_by_episode(store: Store) -> None:
    await store.start_episode(episode("a"))
    await store.put_checkpoint("c1", "a", Handoff("x", done=("one",), next=("two",)), 1)
    await store.put_checkpoint("c2", "a", Handoff("y"), 2)
    assert store.checkpoint("c1") == ("a", Handoff("x", done=("one",), next=("two",)))
    assert store.latest_checkpoint("a") == "c2"
    assert store.latest_checkpoint("nobody") is None
    assert store.checkpoint("nothing") is None
    await store.start_episode(episode("b"))
    await store.put_checkpoint("c0", "b", Handoff("w"), 3)
    assert [(x.id, x.episode_id, x.handoff.goal, x.at_ms) for x in store.checkpoints(["b", "a", "nobody"])] == [
        ("c0", "b", "w", 3),
        ("c1", "a", "x", 1),
        ("c2", "a", "y", 2),
    ]
    with pytest.raises(InvalidInput):
        await store.put_checkpoint("c1", "a", Handoff("z"), 3)
