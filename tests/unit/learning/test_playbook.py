"""Ordered steps from the attempts that worked."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.answers import PlaybookStep
from mcp_memory.domain.episode import Trace
from mcp_memory.domain.pattern import Pattern, PatternKind
from mcp_memory.learning.advice.playbook import playbook
from mcp_memory.learning.advice.playbook_examples import sources
from mcp_memory.learning.reading.attempts import common


def run(i: int, *keys: str, success: bool = True, similarity: float = 0.9, errors: tuple[tuple[int, str], ...] = ()) -> tuple[Trace, float]:
    kind, reward = ("success", 0.9) if success else ("failure", 0.1)
    return (
        Trace(i, f"e{i}", "p", "t", "other", "ops", "", "k8s", (), "", kind, reward, 0, 1, keys, bytes(len(keys)), errors),
        similarity,
    )


GOOD = [
    run(1, "open", "edit", "edit", "bash:pytest", "submit"),
    run(2, "search", "open", "edit", "bash:pytest", "submit"),
    run(3, "open", "look", "edit", "bash:pytest", "submit"),
]


def tools(steps: object) -> list[str]:
    return [s.tool for s in steps]  # type: ignore[attr-defined]


def test_the_steps_are_what_most_successful_attempts_did_in_their_order() -> None:
    book, reason = playbook("deploy the service", GOOD, [], 8)
    assert reason == ""
    assert book is not None
    assert tools(book.steps) == ["open", "edit", "bash"]
    assert [s.order for s in book.steps] == [1, 2, 3]
    assert book.steps[2].action == "pytest"
    assert book.steps[2].why == "in 3 of 3 successful attempts"
    assert book.evidence == ("e1", "e2", "e3")
    assert 0.4 < book.confidence < 1.0


def test_a_step_most_others_took_is_in_even_where_the_central_run_skipped_it() -> None:
    runs = [run(1, "a", "c"), run(2, "a", "b", "c"), run(3, "a", "b", "c", "d"), run(4, "a", "b", "c", "e")]
    book, _ = playbook("t", runs, [], 8)
    assert book is not None
    assert tools(book.steps) == ["a", "b", "c"]


def test_too_many_steps_are_cut_to_the_best_supported_and_the_last_stays() -> None:
    book, _ = playbook("t", [run(i, *"abcdefgh") for i in range(3)] + [run(9, *"abc", success=False)], [], 3)
    assert book is not None
    assert len(book.steps) == 3
    assert book.steps[-1].tool == "h"
    assert not {"a", "b"} & set(tools(book.steps))


def test_a_step_is_not_listed_twice_in_a_row() -> None:
    book, _ = playbook(
        "t", [run(1, "ask", "look", "ask", "book"), run(2, "ask", "find", "ask", "book"), run(3, "ask", "try", "ask", "book")], [], 8
    )
    assert book is not None
    assert tools(book.steps) == ["ask", "book"]


def test_one_success_at_another_task_is_too_thin_and_at_the_same_task_is_not() -> None:
    thin, reason = playbook("t", [run(1, "a", "b", similarity=0.6)], [], 8)
    assert thin is None
    assert "e1" in reason
    assert playbook("t", [run(1, "a", "b", similarity=0.95)], [], 8)[0] is not None


def test_without_a_success_there_is_a_reason_instead() -> None:
    assert playbook("t", [], [], 8) == (None, "no episode with steps is like this task")
    none, reason = playbook("fix `Cart.total`", [run(1, "a", success=False, similarity=1.0)], [], 8)
    assert none is None
    assert reason == "the only attempt found at this task did not succeed"
    like = playbook("fix `Cart.total`", [run(1, "a", success=False, similarity=0.9)], [], 8)[1]
    assert like == "the only attempt found at a task like this did not succeed", "whether it was this one, nobody knows"


def test_attempts_in_words_that_anybody_s_case_may_have_were_at_tasks_like_this() -> None:
    asked, lost = "hi, my flight was late", [run(i, "a", success=False, similarity=1.0) for i in (1, 2)]
    assert playbook(asked, lost, [], 8)[1] == "neither of the two attempts found at tasks like this succeeded"
    won = [run(i, "a", "b", similarity=0.6) for i in (3, 4)]
    book, said = playbook(asked, [*won, *lost], [], 8)[0], playbook("late flight `HAT005`", [*won, *lost], [], 8)[0]
    assert book is not None
    assert said is not None
    assert not any("very task" in text for text in book.pitfalls)
    assert said.pitfalls[0] == "Neither of the two attempts found at this very task succeeded."


def test_of_more_attempts_than_are_aligned_it_says_that_these_are_the_nearest() -> None:
    many = [run(i, "open", "edit", "bash:pytest", "submit") for i in range(20)]
    book, _ = playbook("t", many, [], 8)
    assert book is not None
    assert {s.why for s in book.steps} == {"in 12 of the 12 nearest successful attempts"}
    assert book.successes == 20


def test_successes_that_share_nothing_make_no_playbook() -> None:
    none, reason = playbook("t", [run(1, "a", "b"), run(2, "c", "d"), run(3, "e", "f")], [], 8)
    assert none is None
    assert "no steps in common" in reason


def test_a_way_that_mostly_fails_makes_no_playbook() -> None:
    bad = [run(i, "open", "edit", "bash:pytest", "submit", success=False) for i in range(10, 30)]
    none, reason = playbook("t", GOOD[:1] + bad, [], 8)
    assert none is None
    assert "only 1 succeeded" in reason
    assert "e1" in reason


def test_pitfalls_name_recoveries_fatal_errors_and_habits_of_failures() -> None:
    recovery = Pattern(
        "pat_r",
        PatternKind.ARGUMENT_CHANGE,
        "p",
        {"tool": "cat", "error": "no such file", "change": "with_folder", "argument": "path"},
        "when cat fails with “no such file a.py”, give `path` with its folder",
        "",
        4,
        3,
        1,
        0,
        0,
        confidence=0.5,
    )
    bad = [run(i, "open", "force", "submit", success=False, errors=((1, "quota exceeded"),)) for i in (7, 8, 9)]
    book, _ = playbook("t", GOOD + bad, [recovery], 8)
    assert book is not None
    text = "\n".join(book.pitfalls)
    assert "When cat fails with “no such file a.py”, give `path` with its folder: worked in 3 of 4 (pat_r)." in text
    assert "“quota exceeded” was met by 3 of 3 failed attempts, 0 of 3 successful ones." in text
    assert "3 of 3 failed attempts used force; 0 of 3 successful ones did." in text
    assert "pat_r" in book.evidence


def test_an_error_that_failures_met_is_told_as_it_was_and_never_as_a_signature() -> None:
    bad = [run(i, "open", "submit", success=False, errors=((1, "KeyError: <q>"),)) for i in (7, 8, 9)]
    book, _ = playbook("t", GOOD + bad, [], 8, message_at=lambda key, index: {("e8", 1): "KeyError: 'user_17'"}.get((key, index), ""))
    assert book is not None
    assert book.pitfalls == ("An error like “KeyError: 'user_17'” was met by 3 of 3 failed attempts, 0 of 3 successful ones.",)
    unread, _ = playbook("t", GOOD + bad, [], 8)
    assert unread is not None
    assert unread.pitfalls == ()


def shown(*examples: dict[str, Any] | None) -> Callable[[Sequence[PlaybookStep]], Sequence[PlaybookStep]]:
    return lambda steps: [replace(step, arguments_example=example) for step, example in zip(steps, examples, strict=True)]


def test_a_step_without_an_argument_or_a_contrast_is_left_out() -> None:
    good = [run(i, "bash:ls", "hold", "edit", "pay", "book") for i in range(3)]
    bad = [run(i, "bash:ls", "hold", "edit", "book", success=False) for i in range(5, 7)]
    examples = shown({"command": "ls -la"}, {"arg": "<arg>", "more": ["<more>", ""]}, {"new": "x = 1"}, None, {})
    book, _ = playbook("t", good + bad, [], 8, with_examples=examples)
    assert book is not None
    assert [(s.order, s.tool) for s in book.steps] == [(1, "edit"), (2, "pay")]
    alone, _ = playbook("t", good + bad, [], 8, with_examples=shown(None, None, None, None, None))
    assert alone is not None
    assert len(alone.steps) == 5, "of one step nobody can tell the way"
    unopposed, _ = playbook("t", good, [], 8, with_examples=examples)
    assert unopposed is not None
    assert [s.action for s in unopposed.steps] == ["ls", "edit"]


def pattern(key: str, kind: PatternKind, content: dict[str, Any], successes: int, failures: int, confidence: float = 0.5) -> Pattern:
    return Pattern(key, kind, "p", content, "d", "", successes + failures, successes, failures, 0, 0, confidence=confidence)


def test_an_error_is_told_once_with_its_best_answers() -> None:
    error = {"tool": "cat", "error": "no such file"}
    kind = PatternKind.ARGUMENT_CHANGE
    tried = [pattern(f"pat_{name}", kind, error | {"change": name}, n, 0, n / 10) for name, n in (("find", 5), ("ls", 4))]
    book, _ = playbook("t", GOOD, tried, 8)
    assert book is not None
    assert book.pitfalls == ("D: worked in 5 of 5 (pat_find).", "D: worked in 4 of 4 (pat_ls).")
    assert {"pat_find", "pat_ls"} <= set(book.evidence)


def test_what_one_of_several_successes_did_is_no_step_and_a_look_no_habit_of_failures() -> None:
    good = [run(1, "open", "pack", "ship"), run(2, "open", "ship"), run(3, "open", "ship")]
    bad = [run(i, "scroll_down", "guess", success=False) for i in range(10, 16)]
    book, _ = playbook("t", [*good[:2], *bad], [], 8)
    assert book is not None
    assert tools(book.steps) == ["open", "ship"]
    book, _ = playbook("t", [*good, *bad], [], 8)
    assert book is not None
    assert "6 of 6 failed attempts used guess; 0 of 3 successful ones did." in book.pitfalls
    assert not any("scroll_down" in said for said in book.pitfalls)


def test_a_pattern_tells_where_it_says_how_and_not_where_it_names_tools() -> None:
    def tells(kind: PatternKind, **content: object) -> bool:
        return Pattern("pat_1", kind, "p", content, "", "", 2, 2, 0, 0, 0).is_telling

    recovery, change = PatternKind.ERROR_RECOVERY, PatternKind.ARGUMENT_CHANGE
    assert tells(recovery, tool="bash:python", error="e", **{"try": "bash:pip install"})
    assert not tells(recovery, tool="bash:python", error="e", **{"try": "bash:pip install", "instead": True})
    assert not tells(recovery, tool="bash:python", error="e", **{"try": "edit"})
    assert tells(change, tool="search", error="e", change="fewer_words", argument="arg")
    assert not tells(change, tool="edit", error="e", change="indented", argument="text")
    assert not tells(PatternKind.TOOL_SEQUENCE, tools=["a", "b"])


def test_what_the_task_asks_for_is_no_habit_of_failures() -> None:
    bad = [run(i, "open", "cancel_booking", "submit", success=False) for i in range(7, 12)]
    for task, told in (("Cancel my bookings", False), ("Move my trip", True)):
        book, _ = playbook(task, GOOD + bad, [], 8)
        assert book is not None
        assert any("cancel_booking" in said for said in book.pitfalls) is told


def test_that_some_tool_was_the_answer_or_that_failures_thought_more_is_no_pitfall() -> None:
    recovery = pattern("pat_r", PatternKind.ERROR_RECOVERY, {"tool": "cat", "error": "no such file", "try": "find"}, 5, 0)
    bad = [run(i, "open", "think", "submit", success=False) for i in range(7, 12)]
    book, _ = playbook("t", GOOD + bad, [recovery], 8)
    assert book is not None
    assert book.pitfalls == ()


def test_a_choice_is_a_pitfall_only_where_it_fails_more_than_usual_and_is_not_what_is_recommended() -> None:
    choices = [
        pattern("pat_edit", PatternKind.DECISION_POINT, {"after": ["open"], "choose": "edit"}, 5, 35),
        pattern("pat_force", PatternKind.DECISION_POINT, {"after": ["open"], "choose": "force"}, 5, 35),
    ]
    told, _ = playbook("t", GOOD, choices, 8)
    assert told is not None
    assert told.pitfalls == ("After open, force mostly led to failure: 35 of 40 (pat_force).",)
    often = [run(i, "look", success=False) for i in range(30)]
    usual, _ = playbook("t", GOOD + often, choices, 8)
    assert usual is not None
    assert not any("force" in line for line in usual.pitfalls), "as often as tasks like it fail anyway"


def test_each_step_is_taken_from_the_best_attempt_that_made_it_in_order() -> None:
    runs = [run(1, "open", "edit", "submit", similarity=0.7), run(2, "look", "open", "open", "edit", "bash:pytest", "submit")]
    steps = [
        PlaybookStep(i, *key, "") for i, key in enumerate((("open", "open"), ("bash", "pytest"), ("submit", "submit"), ("pay", "pay")))
    ]
    assert sources(steps, runs) == [(("e2", 1),), (("e2", 4),), (("e2", 5),), ()]
    assert sources(steps[:1], [run(3, "open", success=False)]) == [()]


def test_a_correction_is_told_as_one() -> None:
    wrong = Pattern("pat_w", PatternKind.TOOL_SEQUENCE, "p", {}, "a → b", "", 4, 4, 0, 0, 0, corrected_by="use c", confidence=0.1)
    book, _ = playbook("t", GOOD, [wrong], 8)
    assert book is not None
    assert book.pitfalls[0] == "Corrected: use c (instead of: a → b; pat_w)."


def test_when_not_to_use_it_is_said_from_the_evidence() -> None:
    failed_this_way = run(5, "open", "edit", "bash:pytest", "submit", success=False)
    book, _ = playbook("t", [*GOOD, failed_this_way], [], 8)
    assert book is not None
    assert "Not outside" not in book.when_not_to_use, "where the evidence is from says nothing of this task"
    assert "1 of 4 attempts that went this way failed" in book.when_not_to_use
    sure, _ = playbook("t", GOOD, [], 8)
    assert sure is not None
    assert book.confidence < sure.confidence


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_common_part_of_two_runs_is_in_both_and_in_order(a: list[str], b: list[str]) -> None:
    pairs = common(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
