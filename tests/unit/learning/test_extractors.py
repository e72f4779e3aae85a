"""One run to its observations."""

import time
from typing import Any

from mcp_memory.domain.episode import OutcomeKind
from mcp_memory.domain.pattern import PatternKind
from mcp_memory.learning.patterns.extractors import MAX_OBSERVATIONS, observations_of
from mcp_memory.learning.reading.run import run_of_episode

from .runs import episode


def contents(kind: PatternKind, *steps: str, outcome: OutcomeKind = OutcomeKind.SUCCESS) -> list[dict[str, Any]]:
    return [dict(o.content) for o in observations_of(run_of_episode(episode("e", steps, outcome))) if o.kind is kind]


def test_repetitions_in_a_row_are_one_tool_of_a_sequence() -> None:
    found = contents(PatternKind.TOOL_SEQUENCE, "open", "edit", "edit", "edit", "test")
    assert {"tools": ["open", "edit", "test"]} in found
    assert all(len(set(c["tools"])) > 1 for c in found)


def test_a_sequence_may_leave_one_tool_out() -> None:
    assert {"tools": ["open", "test"]} in contents(PatternKind.TOOL_SEQUENCE, "open", "edit", "test")


def test_a_decision_names_its_state_and_whether_it_failed() -> None:
    found = contents(PatternKind.DECISION_POINT, "edit!broken", "undo")
    assert {"kind": "web · flask", "after": ["edit (failed)"], "choose": "undo"} in found
    assert {"kind": "web · flask", "after": ["start"], "choose": "edit"} in found


def test_a_recovery_keeps_what_was_tried_and_what_worked() -> None:
    run = run_of_episode(episode("e", ["run!no module named x", "run!no module named x", "pip", "run"]))
    found = {o.content["try"]: o.success for o in observations_of(run) if o.kind is PatternKind.ERROR_RECOVERY}
    assert found == {"run": False, "pip": True}


def test_a_recovery_that_worked_once_counts_as_one_that_works() -> None:
    run = run_of_episode(episode("e", ["a!bad", "b!bad", "a!bad", "b"]))
    found = [o for o in observations_of(run) if o.kind is PatternKind.ERROR_RECOVERY and o.content["tool"] == "a"]
    assert [(o.content["try"], o.success) for o in found] == [("b", True)]


def test_the_context_says_which_tools_did_the_work_and_how_it_ended() -> None:
    run = run_of_episode(episode("e", ["edit", "edit", "test"], OutcomeKind.FAILURE))
    (found,) = [o for o in observations_of(run) if o.kind is PatternKind.CONTEXT]
    assert found.content["approach"] == ["edit", "test"]
    assert not found.success


def test_a_run_without_steps_says_nothing() -> None:
    assert observations_of(run_of_episode(episode("e"))) == ()


def test_no_pattern_twice_and_at_most_two_hundred() -> None:
    steps = [f"t{i * 7 % 31}" + ("!boom" if i % 9 == 0 else "") for i in range(900)]
    found = observations_of(run_of_episode(episode("e", steps)))
    ids = [o.pattern_id for o in found]
    assert len(ids) == len(set(ids)) <= MAX_OBSERVATIONS


def test_a_thousand_steps_take_milliseconds() -> None:
    steps = [f"t{i * 7 % 31}" + (f"!boom in /tmp/{i}" if i % 9 == 0 else "") for i in range(1_000)]
    made = episode("e", steps)
    started = time.thread_time()
    observations_of(run_of_episode(made))
    assert time.thread_time() - started < 0.2  # the target is 0.02 s; shared machines are slower


def test_giving_up_is_no_recovery() -> None:
    for outcome in (OutcomeKind.FAILURE, OutcomeKind.SUCCESS):
        for last in ("submit", "think", "open"):
            run = run_of_episode(episode("e", ["edit!bad", last], outcome))
            assert not [o for o in observations_of(run) if o.kind is PatternKind.ERROR_RECOVERY]


def test_an_alternative_that_did_the_job_is_told_apart_from_a_fix() -> None:
    run = run_of_episode(episode("e", ["edit!bad", "rewrite", "submit"]))
    (found,) = [o for o in observations_of(run) if o.kind is PatternKind.ERROR_RECOVERY]
    assert (found.content["try"], found.content["instead"], found.success) == ("rewrite", True, True)
    assert found.description == "when edit fails with “bad”, others got on with rewrite"


def test_a_message_that_stands_for_others_of_its_kind_is_told_as_one_of_them() -> None:
    errors = ("AttributeError: 'NoneType' object has no attribute 'fit'", "AttributeError: 'Scratch' object has no attribute 'shape'")
    first, second = (
        next(
            o
            for o in observations_of(run_of_episode(episode("e", [f"test!{error}", "edit", "test"])))
            if o.kind is PatternKind.ERROR_RECOVERY
        )
        for error in errors
    )
    assert first.pattern_id == second.pattern_id, "so what is counted is of both"
    assert first.description == f"when test fails with an error like “{errors[0]}”, fix it with edit"
