"""Votes derived from what was shown and what was then done."""

from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Step, StepStatus, Trace
from mcp_memory.domain.feedback import Feedback, Recommendation, RecommendationKind, Verdict
from mcp_memory.domain.pattern import Pattern, PatternKind
from mcp_memory.domain.votes import VoteBook
from mcp_memory.learning.patterns.confidence import Usage
from mcp_memory.learning.patterns.implicit import follows, implicit_feedback, in_order, usages, uses_pattern


def steps(*names: str) -> tuple[Step, ...]:
    """Make steps of tool names; a name that ends in ! failed."""
    return tuple(
        Step(
            n.rstrip("!"),
            status=StepStatus.ERROR if n.endswith("!") else StepStatus.OK,
            error="no such file /a" if n.endswith("!") else None,
            at_ms=10 * i,
            index=i,
        )
        for i, n in enumerate(names, 1)
    )


def episode(*names: str, kind: OutcomeKind = OutcomeKind.SUCCESS) -> Episode:
    return Episode("now", "p", "t", steps=steps(*names), step_count=len(names), outcome=Outcome(kind))


def pattern(kind: PatternKind, /, **content: object) -> Pattern:
    return Pattern("pat_1", kind, "p", content, "d", "", 2, 2, 0, 0, 0)


def shown(*ids: str, at_ms: int = 0, rec_id: str = "rec1") -> Recommendation:
    return Recommendation(rec_id, RecommendationKind.RECALL, "p", "now", ids, at_ms)


def run(*keys: str) -> Trace:
    return Trace(1, "old", "p", "t", "other", "", "", "", (), "", "success", 0.9, 0, 1, step_keys=keys)


SEQUENCE = pattern(PatternKind.TOOL_SEQUENCE, tools=["edit", "pytest"])


def test_using_what_was_shown_and_succeeding_is_a_vote_for_it() -> None:
    (vote,) = implicit_feedback(episode("look", "edit", "pytest"), [shown("pat_1")], {"pat_1": SEQUENCE}, {}, 99)
    assert (vote.verdict, vote.used_ids, vote.implicit, vote.episode_id) == (Verdict.HELPED, ("pat_1",), True, "now")


def test_using_it_and_failing_is_a_vote_against_it() -> None:
    (vote,) = implicit_feedback(episode("edit", "pytest", kind=OutcomeKind.FAILURE), [shown("pat_1")], {"pat_1": SEQUENCE}, {}, 99)
    assert vote.verdict is Verdict.HINDERED


def test_what_was_not_used_and_what_ended_in_between_has_no_effect() -> None:
    unused = implicit_feedback(episode("look"), [shown("pat_1")], {"pat_1": SEQUENCE}, {}, 99)
    partly = implicit_feedback(episode("edit", "pytest", kind=OutcomeKind.PARTIAL), [shown("pat_1")], {"pat_1": SEQUENCE}, {}, 99)
    assert [v.verdict for v in (*unused, *partly)] == [Verdict.NO_EFFECT] * 2
    assert unused[0].used_ids == ()


def test_steps_made_before_it_was_shown_are_no_use_of_it() -> None:
    (vote,) = implicit_feedback(episode("edit", "pytest", "look"), [shown("pat_1", at_ms=25)], {"pat_1": SEQUENCE}, {}, 99)
    assert vote.used_ids == ()


def test_what_two_recommendations_showed_is_credited_once_and_deriving_again_adds_nothing() -> None:
    both = [shown("pat_1"), shown("pat_1", rec_id="rec2", at_ms=1)]
    votes = implicit_feedback(episode("edit", "pytest"), both, {"pat_1": SEQUENCE}, {}, 99)
    book = VoteBook()
    for _ in range(2):
        book.add(zip(votes, both, strict=True))
    assert book.stats()["pat_1"].helped == 0.3
    assert [v.id for v in votes] == ["imp_rec1", "imp_rec2"]


def test_an_explicit_vote_silences_the_implicit_one() -> None:
    votes = implicit_feedback(episode("edit", "pytest"), [shown("pat_1")], {"pat_1": SEQUENCE}, {}, 99)
    book = VoteBook()
    book.add([(votes[0], shown("pat_1")), (Feedback("f", "rec1", Verdict.HINDERED, ("pat_1",), None, "", False, 100), shown("pat_1"))])
    assert (book.stats()["pat_1"].helped, book.stats()["pat_1"].hindered) == (0.0, 1.0)


def test_each_kind_of_pattern_is_recognised_in_the_steps() -> None:
    recovery = pattern(PatternKind.ERROR_RECOVERY, tool="cat", error="no such file <path>", **{"try": "find"})
    decision = pattern(PatternKind.DECISION_POINT, kind="k", after=["cat (failed)"], choose="find")
    begin = pattern(PatternKind.DECISION_POINT, kind="k", after=["start"], choose="cat")
    context = pattern(PatternKind.CONTEXT, approach=["cat", "find"])
    made = steps("cat!", "find", "cat")
    assert all(uses_pattern(p, made) for p in (recovery, decision, begin, context))
    other = steps("ls", "edit")
    assert not any(uses_pattern(p, other) for p in (recovery, decision, begin, context))


def test_an_answer_to_an_error_from_before_it_was_shown_counts() -> None:
    recovery = pattern(PatternKind.ERROR_RECOVERY, tool="cat", error="no such file <path>", **{"try": "find"})
    assert uses_pattern(recovery, steps("find"), before=steps("cat!"))


def test_a_recalled_run_is_followed_when_half_of_its_transitions_are_made() -> None:
    assert follows(run("look", "edit", "pytest", "submit"), steps("look", "look", "edit", "pytest"))
    assert not follows(run("look", "edit", "pytest", "submit"), steps("submit", "look"))
    assert not follows(run("look", "edit"), steps("look", "edit"))


def test_a_sequence_allows_one_other_tool_in_between() -> None:
    assert in_order(("a", "b", "c"), ("a", "x", "b", "c"))
    assert not in_order(("a", "b"), ("b", "a"))
    assert not in_order((), ("a",))


def test_an_episode_counts_once_for_each_thing_it_was_shown() -> None:
    rows = [
        (Feedback("1", "r1", Verdict.HELPED, ("pat_1",), None, "", True, 0, "e1"), shown("pat_1", "old", rec_id="r1")),
        (Feedback("2", "r2", Verdict.NO_EFFECT, (), None, "", True, 0, "e1"), shown("pat_1", rec_id="r2")),
        (Feedback("3", "r3", Verdict.NO_EFFECT, (), None, "", True, 0, "e2"), shown("pat_1", rec_id="r3")),
        (Feedback("4", "r4", Verdict.NO_EFFECT, (), None, "", True, 0, "gone"), shown("pat_1", rec_id="r4")),
    ]
    found = usages(rows, {"e1": True, "e2": False}.get)
    assert found["pat_1"] == Usage(used=1, used_successes=1, unused=1, unused_successes=0)
    assert found["old"] == Usage(unused=1, unused_successes=1)
