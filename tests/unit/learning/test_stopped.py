"""Where attempts stopped that changed nothing, as it is told of one and of several."""

from dataclasses import replace

import pytest

from mcp_memory.domain.episode import Episode, OutcomeKind, Step, StepStatus
from mcp_memory.learning.telling.points import points_of

from .runs import episode

TASK = "The till of `Shop` counts a voucher twice"
SHELL_ERROR = "/bin/bash: line 1: syntax error near unexpected token `('"
REPRO = Step("create", arguments={"path": "reproduce_bug.py", "content": "count(1)"})
SUBMIT = Step("submit")


def lost(name: str, *steps: Step, task: str = TASK) -> Episode:
    placed = tuple(replace(step, index=i) for i, step in enumerate(steps))
    return replace(episode(name, [], OutcomeKind.FAILURE, task=task), steps=placed, step_count=len(placed), files=None)


def told(*attempts: Episode) -> str:
    points = points_of([(made, 1.0) for made in attempts], attempts[0].task)
    (line,) = [line for made in attempts for line in points[made.id]]
    return line


def went_to(line: int, path: str = "shop/till.py") -> Step:
    return Step("goto", arguments={"args": str(line)}, observation=f"[File: /r/{path} (99 lines total)]\n{line}:total = 0")


def opened(path: str = "shop/till.py") -> Step:
    return Step("open", arguments={"path": path}, observation=f"[File: /r/{path} (99 lines total)]\n1:total = 0")


def ran(error: str = "") -> Step:
    return Step(
        "bash", arguments={"command": "python reproduce_bug.py"}, status=StepStatus.ERROR if error else StepStatus.OK, error=error or None
    )


def typed(code: str) -> Step:
    return Step("bash", arguments={"command": code}, status=StepStatus.ERROR, error=SHELL_ERROR)


def test_the_script_that_is_all_an_attempt_left_is_told_with_the_place_where_it_stopped() -> None:
    said = told(lost("a", REPRO, opened(), went_to(61), went_to(70), SUBMIT))
    assert said == "changed nothing: left only reproduce_bug.py, stopped at shop/till.py:70"


def test_no_place_is_told_where_an_attempt_scrolled_on_from_the_line_it_went_to() -> None:
    scrolled = Step("scroll_down", observation="[File: /r/shop/till.py (99 lines total)]\n75:fee = 0")
    assert "stopped at" not in told(lost("a", REPRO, opened(), went_to(61), scrolled, SUBMIT))


def test_steps_on_several_files_of_its_own_are_not_told_as_spent_on_one_of_them() -> None:
    settings = Step("create", arguments={"path": "own_settings.py", "content": "till = 1"})
    run = lost("a", settings, settings, settings, settings, REPRO, ran("KeyError: 'till'"), ran("KeyError: 'till'"), SUBMIT)
    assert "spent 7 of 7 steps on files of its own, whose last run failed with “KeyError: 'till'”" in told(run)


def test_a_call_that_never_worked_is_not_told_as_what_stopped_a_run_that_gave_its_answer() -> None:
    stray = Step("compare", arguments={"of": "two tills"}, status=StepStatus.ERROR, error="there is no tool of that name here")
    verdict = Step("finish", arguments={"answer": "two"}, status=StepStatus.ERROR, error="Answer is INCORRECT", observation="")
    run = lost("a", Step("search", arguments={"q": "till"}), stray, verdict, task="How many tills has the shop?")
    assert "never got compare" not in " ".join(points_of([(run, 1.0)], run.task)["a"])


def test_a_script_that_the_task_asks_for_is_no_script_of_the_attempts_own() -> None:
    run = lost("a", REPRO, opened(), SUBMIT, task="Write reproduce_bug.py for the till of `Shop`")
    assert "left only" not in " ".join(points_of([(run, 1.0)], run.task)["a"])


def test_a_script_that_an_attempt_removed_again_is_not_said_to_be_left() -> None:
    removed = Step("bash", arguments={"command": "cd /r && rm -f reproduce_bug.py"})
    assert told(lost("a", REPRO, opened(), went_to(61), removed, SUBMIT)) == "changed nothing: stopped at shop/till.py:61"


def test_that_an_attempt_typed_its_change_into_a_shell_is_told_with_what_it_typed() -> None:
    code = "if self.voucher is not taken:\n    total = left(total)"
    said = told(lost("a", REPRO, opened(), went_to(61), typed(code), SUBMIT))
    assert "typed code into the shell, which is no edit (“if self.voucher is not taken: ⏎ total = left(total)”)" in said


def test_that_a_script_of_its_own_took_most_steps_is_told_with_the_error_it_ended_with() -> None:
    missing = "ModuleNotFoundError: No module named 'shopsite'"
    said = told(lost("a", REPRO, ran(missing), REPRO, ran(missing), REPRO, ran(missing), SUBMIT))
    assert said == f"changed nothing: spent 6 of 6 steps on reproduce_bug.py, whose last run failed with “{missing}”"


def test_of_several_that_ended_alike_it_is_told_once_and_of_each_that_ended_otherwise_what_it_did() -> None:
    alike = [lost(name, REPRO, opened(), went_to(line), SUBMIT) for name, line in (("a", 61), ("b", 70))]
    assert told(*alike).endswith("changed nothing: both left only a script of their own, stopped at shop/till.py:61 and :70")
    unplaced = lost("d", REPRO, opened(), SUBMIT)
    assert told(alike[0], unplaced).startswith(
        "this and 1 other changed nothing: both left only a script of their own, one stopped at shop/till.py:61"
    )
    other = lost("c", opened(), typed("total = left(total)"), SUBMIT)
    assert (
        "changed nothing: one typed code into the shell, which is no edit (“total = left(total)”), one left only reproduce_bug.py"
        in told(alike[0], other)
    )


@pytest.mark.parametrize("path", ["tests/test_till.py", "shop/tests/test_voucher.py"])
def test_a_test_that_an_attempt_added_is_named(path: str) -> None:
    added = Step("create", arguments={"path": path, "content": "assert count(1) == 1"})
    assert told(lost("a", opened(), added, SUBMIT)) == f"changed nothing that was there, made {path}; had read shop/till.py"


def test_what_one_of_several_made_is_told_as_made_by_one() -> None:
    made = Step("create", arguments={"path": "shop/vouchers.py", "content": "till = Shop(voucher=2).counts"})
    said = told(lost("a", opened(), made, SUBMIT), lost("b", opened(), SUBMIT))
    assert "changed nothing that was there, one made shop/vouchers.py" in said
