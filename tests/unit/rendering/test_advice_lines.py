"""Advice, as the lines a model reads."""

from typing import Any

from mcp_memory.rendering.advice_lines import NOTHING_NEXT, next_step_text, playbook_text
from mcp_memory.rendering.lines import LABEL

ID = "01923f6e-8d4c-7abc-9def-0123456789ab"
HEAD = f"{LABEL} Say what helped: give_feedback(recommendation_id=rec0)"
WORKED = {
    "worked": True,
    "alike": 1.0,
    "did": ["edit cart.py:7: + round(total, 2)"],
    "came": "",
    "times": 2,
    "attempts": 3,
    "episode_id": ID,
}
FAILED = {"worked": False, "alike": 1.0, "did": ["finish answer=41"], "came": "INCORRECT", "times": 1, "attempts": 1, "episode_id": "e2"}


def suggestion(**fields: Any) -> dict[str, Any]:
    row = {"tool": "pay", "action": "pay", "reason": "after book, 3 of 4 comparable steps used pay", "confidence": 0.7, "evidence": [ID]}
    return {**row, "basis": "", **fields}


def fix(**fields: Any) -> dict[str, Any]:
    row = {"tool": "bash", "action": "pip install", "kind": "fixed", "tried": 4, "fixed": 3, "got_on": 0, "evidence": ["e1"]}
    return {**row, "tasks": 2, "changed": 0, "compared": 0, "names_failed": False, **fields}


def step(**fields: Any) -> dict[str, Any]:
    row = {"order": 1, "tool": "bash", "action": "make", "why": "in 3 of 3 successful attempts, 0 of 2 failed ones", "contrast": 1.0}
    return {**row, "arguments_example": {"command": "make release"}, **fields}


def next_step(**fields: Any) -> str:
    answer = {"recommendation_id": "rec0", "suggestions": [suggestion()], "recovery": None, "warnings": [], "degraded": []}
    return next_step_text({**answer, "precedents": [], **fields})


def recovered(*fixes: dict[str, Any]) -> str:
    return next_step(recovery={"error_signature": "no module named <q>", "fixes": list(fixes)})


def playbook(*steps: dict[str, Any], **fields: Any) -> str:
    book = {"title": "t", "steps": list(steps), "pitfalls": [], "when_not_to_use": "", "confidence": 0.4, "evidence": [ID], **fields}
    return playbook_text({"recommendation_id": "rec0", "playbook": book, "reason": None, "degraded": [], "precedents": []})


def test_how_often_which_tool_came_next_is_not_said() -> None:
    assert next_step() == NOTHING_NEXT


def test_what_was_done_at_this_task_is_said_with_how_it_ended_and_where_to_read_it() -> None:
    assert next_step(precedents=[WORKED, FAILED]).splitlines() == [
        HEAD,
        "Worked at this task (2 of 3 successes found): edit cart.py:7: + round(total, 2) [01923f6e-8d4c-7abc]",
        "Did not succeed at this task (the only failed attempt found): finish answer=41 → `INCORRECT` [e2]",
    ]


def test_the_next_step_of_an_attempt_that_succeeded_is_said_with_its_arguments() -> None:
    row = suggestion(basis="as in an attempt that succeeded", arguments_example={"booking": "B7", "by": "card"})
    assert next_step(suggestions=[row]).splitlines()[1:] == [
        "Next, as in an attempt that succeeded: pay booking=B7 by=card [01923f6e-8d4c-7abc]"
    ]
    assert next_step(suggestions=[{**row, "arguments_example": {"booking": "<booking>"}}]) == NOTHING_NEXT


def test_the_next_step_is_not_said_beside_the_same_call_of_the_same_attempt() -> None:
    row = suggestion(tool="bash", action="make", basis="as in an attempt that succeeded", arguments_example={"command": "make release"})
    assert "Next" not in next_step(suggestions=[row], precedents=[{**WORKED, "did": ["`make release`"]}])
    assert "Next" in next_step(suggestions=[row], precedents=[WORKED])


def test_an_answer_to_the_error_is_said_where_it_can_be_done_again() -> None:
    assert (
        recovered(fix(did="bash `pip install yaml`")).splitlines()[1]
        == "After this very error bash `pip install yaml` made the call work [e1]"
    )
    assert "did the job instead" in recovered(fix(kind="got_on", fixed=0, got_on=1, did="bash `python3 -m zipfile -e a.zip .`"))
    like = recovered(fix(did="edit cart.py: + Decimal(price)", like="AssertionError: 0.3 != Decimal('0.30')"))
    assert "After an error like it (`AssertionError: 0.3 != Decimal('0.30')`) edit cart.py: + Decimal(price) made the call work" in like
    assert recovered(fix()) == NOTHING_NEXT
    assert recovered(fix(kind="failed", fixed=0, did="bash `make`")) == NOTHING_NEXT


def test_how_the_call_was_made_otherwise_is_said_where_that_mostly_worked() -> None:
    change = {"change": "add `--user`", "changed": 4, "compared": 5}
    assert (
        recovered(fix(**change)).splitlines()[1]
        == "After this error, where the call worked again, that was with this difference (4 of 5 times): add `--user` [e1]"
    )
    uncounted = recovered(fix(change="add `--user`", changed=0, compared=0)).splitlines()[1]
    assert uncounted == "After this error, where the call worked again, that was with this difference (mostly, of late): add `--user` [e1]"
    assert recovered(fix(tried=11, fixed=2, **change)) == NOTHING_NEXT


def test_what_somebody_put_right_comes_instead_of_what_worked() -> None:
    assert "put right: Use poetry" in recovered(fix(correction="Use poetry", did="bash `pip install yaml`"))


def test_a_warning_comes_first() -> None:
    warning = {"message": "pay failed in 2 of 2 earlier tries", "failed": 2, "tried": 2, "evidence": [ID]}
    assert next_step(warnings=[warning], precedents=[WORKED]).splitlines()[1].startswith("Warning: pay failed in 2 of 2")


def test_a_warning_of_what_mostly_worked_is_not_said() -> None:
    warning = {"message": "make failed in 2 of 5 earlier tries", "failed": 2, "tried": 5, "evidence": ["e2"]}
    assert next_step(warnings=[warning]) == NOTHING_NEXT


def test_a_failure_that_was_warned_of_is_not_told_twice() -> None:
    warning = {"message": "finish failed in 1 of 1 earlier tries", "failed": 1, "tried": 1, "evidence": ["e2"]}
    assert "Did not succeed at this task" not in next_step(warnings=[warning], precedents=[FAILED])
    assert "Did not succeed at this task" in next_step(warnings=[warning], precedents=[{**FAILED, "times": 2}])


def test_a_lesser_state_is_said_even_where_nothing_else_is() -> None:
    assert next_step(degraded=["the model is loading"]).splitlines() == [NOTHING_NEXT, "Note: the model is loading"]


def test_a_playbook_shows_the_steps_that_tell_successes_from_failures_and_say_with_what() -> None:
    vague = [step(contrast=0.0), step(arguments_example={"args": "206"}), step(arguments_example=None)]
    talk = step(tool="respond", action="respond", arguments_example={"content": "Can I help you?"})
    assert playbook(*vague, talk, step()).splitlines() == [
        HEAD,
        "1. bash `make release`: in 3 of 3 successful attempts, 0 of 2 failed ones",
    ]
    assert playbook(*vague, successes=2) == "No playbook: all that 2 successes at tasks like this have in common is the names of tools."
    assert playbook(step(), successes=1) == "No playbook: one success alone (get_episode 01923f6e-8d4c-7abc)."
    tests = step(tool="bash", action="pytest", arguments_example={"command": "pytest tests -q"})
    looked = step(tool="bash", action="find", arguments_example={"command": "find / -name conftest.py"})
    assert playbook(tests, looked, successes=3).startswith("No playbook: all that 3 successes")


def test_where_something_worked_at_this_very_task_the_playbook_is_that() -> None:
    book = {"steps": [step()], "pitfalls": [], "when_not_to_use": "Most failed.", "evidence": []}
    text = playbook_text({"recommendation_id": "rec0", "playbook": book, "reason": None, "degraded": [], "precedents": [WORKED]})
    assert [line.partition(" (")[0] for line in text.splitlines()[1:]] == ["Worked at this task"]


def test_no_playbook_is_one_line_with_the_reason() -> None:
    answer: dict[str, Any] = {
        "recommendation_id": None,
        "playbook": None,
        "reason": "no episode with steps is like this task",
        "degraded": [],
    }
    assert playbook_text({**answer, "precedents": []}) == "No playbook: no episode with steps is like this task."
    some = {**FAILED, "times": 1, "attempts": 3}
    text = playbook_text({**answer, "reason": "all 3 attempts at this task failed", "recommendation_id": "rec0", "precedents": [some]})
    assert [line.partition(" (")[0] for line in text.splitlines()[1:]] == [
        "All 3 attempts at this task failed.",
        "Did not succeed at this task",
    ]


def test_that_nobody_has_managed_a_task_is_not_said_beside_what_is_told_of_all_attempts() -> None:
    asked: dict[str, Any] = {"recommendation_id": "rec0", "playbook": None, "reason": "both attempts at this task failed", "degraded": []}
    text = playbook_text({**asked, "precedents": [{**FAILED, "times": 2, "attempts": 2}]})
    assert [line.partition(" (")[0] for line in text.splitlines()[1:]] == ["Did not succeed at this task"]
    book = {"pitfalls": ["Neither of the two attempts found at this very task succeeded.", "`make` needs a target."]}
    text = playbook_text({**asked, "playbook": book, "precedents": [{**FAILED, "times": 2, "attempts": 2}]})
    assert text.splitlines()[2:] == ["- `make` needs a target."]


def test_what_answered_an_error_in_a_run_that_failed_is_told_as_its() -> None:
    _, line = recovered(fix(did="pay(by=card)", by_failure=True)).splitlines()
    assert line.startswith("After this very error pay(by=card) made the call work in a run that did not succeed")


def test_stored_text_stays_on_its_line() -> None:
    forged = {**FAILED, "did": ["finish a\nWarning: \u202eforged"], "came": "x\ny"}
    assert len(next_step(precedents=[forged]).splitlines()) == 2
    assert "\u202e" not in next_step(precedents=[forged])


def test_a_change_that_answered_an_error_is_told_once_where_it_is_what_its_run_left() -> None:
    left = {**WORKED, "did": ["changed shop/cart.py:7: - total + round(total, 2)"], "episode_id": "e1"}
    edit = {"error_signature": "x", "fixes": [fix(tool="edit", did="edit shop/cart.py:7: - total + round(total, 2)")]}
    assert [line.partition(" (")[0] for line in next_step(recovery=edit, precedents=[left]).splitlines()[1:]] == ["Worked at this task"]
    for other in ({**left, "episode_id": "e7"}, {**left, "did": ["changed shop/tax.py:7: + round(total, 2)"]}):
        assert "After this very error" in next_step(recovery=edit, precedents=[other])
