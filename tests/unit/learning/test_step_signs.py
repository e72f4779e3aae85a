"""What the steps themselves show."""

import pytest

from mcp_memory.domain.episode import Step, StepStatus
from mcp_memory.learning.reading import step_signs
from mcp_memory.learning.reading.step_signs import exit_code, is_revert, read, repeats


def ok(tool: str, observation: str = "", **arguments: object) -> Step:
    return Step(tool, arguments=arguments, observation=observation)


def bad(tool: str, error: str = "boom", **arguments: object) -> Step:
    return Step(tool, arguments=arguments, error=error, status=StepStatus.ERROR)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("===== 2 failed, 5 passed, 1 skipped in 0.31s =====", (5, 2)),
        ("....\n4 passed in 0.02s", (4, 0)),
        ("1 error in 0.50s", (0, 1)),
        ("Ran 3 tests in 0.100s\n\nOK", (3, 0)),
        ("Ran 4 tests in 0.002s\n\nFAILED (failures=1, errors=1)", (2, 2)),
        ("Tests:       1 failed, 5 passed, 6 total", (5, 1)),
        ("      Tests  1 failed | 5 passed (6)", (5, 1)),
        ("test result: FAILED. 3 passed; 1 failed; 0 ignored", (3, 1)),
        ("ok  \tpkg/a\t0.01s\nFAIL\tpkg/b\t0.2s", (1, 1)),
        ("  5 passing (20ms)\n  1 failing", (5, 1)),
        ("1 failed in 1s\nagain\n3 passed in 1.00s", (3, 0)),
        ("looked in 3 files in 2s", None),
        ("no tests ran in 0.01s", None),
        ("", None),
    ],
)
def test_the_last_summary_of_each_test_runner_is_read(text: str, counts: tuple[int, int] | None) -> None:
    assert step_signs.test_counts("", text) == counts


def test_a_call_repeated_with_the_same_answer_is_waste_and_with_another_answer_is_not() -> None:
    again = (ok("ls", "a b", path="."), ok("ls", "a b", path="."), ok("ls", "a b c", path="."), ok("ls", "a b", path="/"))
    assert repeats(again) == (1,)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1 failed in 0.31s", "1 failed in 0.29s", True),
        ("3 failed, 5 passed in 0.31s", "1 failed, 7 passed in 0.31s", False),
        ("AssertionError: 0.30000000000000004 != 0.3", "AssertionError: 0.25000000000000003 != 0.3", True),
        ("AssertionError: 0.4 != 0.3", "AssertionError: 0.5 != 0.3", False),
        ("<Job at 0x7f3a>, 12:01:59", "<Job at 0x1b2c>, 12:02:03", True),
    ],
)
def test_answers_that_differ_in_times_and_ids_only_are_the_same_answer(first: str, second: str, same: bool) -> None:
    assert repeats((ok("run", first, c="pytest"), ok("run", second, c="pytest"))) == ((1,) if same else ())


@pytest.mark.parametrize(
    ("between", "waste"),
    [
        (ok("find_file", "b.py", args="b.py"), True),
        (ok("pytest", "1 failed", c="x"), True),
        (Step("edit", arguments={"args": "x"}, error="refused", status=StepStatus.ERROR), True),
        (ok("edit", "done", args="x"), False),
        (ok("open", "[File: b.py]", path="b.py"), False),
    ],
)
def test_asking_again_is_no_waste_where_a_file_was_opened_or_changed_in_between(between: Step, waste: bool) -> None:
    find = ok("search_file", "No matches found", args="rate")
    assert repeats((find, between, find)) == ((2,) if waste else ())


def test_steps_that_show_nothing_are_never_repeats() -> None:
    assert repeats((ok("wait"), ok("wait"), ok("wait"))) == ()


def test_an_error_is_recovered_by_the_same_call_and_stands_when_it_is_near_the_end() -> None:
    signs = read((bad("pytest"), ok("edit"), ok("pytest"), ok("a"), ok("b"), bad("deploy"), ok("c")))
    assert signs.failed == (0, 5)
    assert signs.recovered == (0,)
    assert signs.standing == (5,)


def test_an_error_long_left_behind_does_not_stand() -> None:
    assert read((bad("old"), *(ok(f"t{i}") for i in range(12)))).standing == ()


def test_reverts_and_exit_codes_are_seen_in_arguments_and_answers() -> None:
    assert is_revert(ok("bash", command="cd repo && git checkout -- src/a.py"))
    assert is_revert(ok("undo_edit"))
    assert not is_revert(ok("bash", command="git checkout -b feature"))
    assert exit_code(bad("bash", "exit 127: not found")) == 127
    assert exit_code(ok("bash", "done\nProcess exited with code 0")) == 0
    assert exit_code(ok("bash", "done")) is None


def test_words_of_a_patch_are_no_verdict_on_it() -> None:
    patch = "diff --git a/x.py b/x.py\n@@ -1,2 +1,3 @@\n def f():\n+    # Incorrect case\n+    return 1\n"
    assert read([Step("submit", observation=patch)]).verdict == 0
    assert read([Step("submit", observation=f"{patch}\nThe patch was rejected.")]).verdict == -1


def test_the_last_answer_can_reject_or_accept_the_work() -> None:
    assert read((ok("finish", "Answer is INCORRECT"),)).verdict == -1
    assert read((ok("finish", "Answer is correct"),)).verdict == 1
    assert read((ok("finish", "correct"), ok("say", "bye"))).verdict == 0
    assert read(()).verdict == 0
