"""How a piece of work ended, when nobody said it: what counts as evidence, and what does not."""

from typing import Any

import pytest

from mcp_memory.domain.inference import UNTOLD, infer_outcome
from mcp_memory.domain.own_tools import TOOL_NAMES, is_work, own_tool
from mcp_memory.domain.session_ids import prompt_turn, turn_id
from mcp_memory.domain.times import as_milliseconds
from mcp_memory.domain.user_words import verdict_of
from mcp_memory.server.tools import FULL


def ran(command: str, *, ok: bool = True, text: str = "") -> dict[str, Any]:
    status, error = ("ok", None) if ok else ("error", "Exit code 1")
    return {"arguments": {"command": command}, "status": status, "error": error, "observation": text}


def kind_and_reason(*steps: dict[str, Any], **more: Any) -> tuple[str, str]:
    outcome, reason = infer_outcome(steps, "done", **more)
    assert outcome["summary"] == "done"
    return outcome["kind"], reason


PASSED, FAILED = ran("pytest -q", text="3 passed"), ran("pytest -q", ok=False, text="1 failed, 2 passed")
LAST_FAILED = "the last check of the work, step #0 (pytest), failed"


def test_without_any_evidence_it_is_partial_and_says_so() -> None:
    assert kind_and_reason(ran("ls")) == ("partial", UNTOLD)
    assert kind_and_reason() == ("partial", UNTOLD)


def test_the_last_check_decides() -> None:
    assert kind_and_reason(FAILED, PASSED) == ("success", "the last check of the work, step #1 (pytest), passed")
    assert kind_and_reason(PASSED, FAILED, ran("ls"))[0] == "failure"
    assert infer_outcome([FAILED], "")[0]["error"] == "Exit code 1"


@pytest.mark.parametrize(
    "text",
    [
        "=== 1 failed, 2 passed in 0.1s ===",
        "FAILED (failures=1)",
        "Tests:       1 failed, 3 passed",
        "test result: FAILED. 1 passed; 1 failed",
        "--- FAIL: TestAdd (0.00s)\nFAIL",
        "Tests run: 5, Failures: 2, Errors: 0",
        "error: could not compile `cart`",
    ],
)
def test_a_runners_own_words_count_more_than_the_exit_status_behind_a_pipe(text: str) -> None:
    assert kind_and_reason(ran("pytest | tail -5", text=text))[0] == "failure"


@pytest.mark.parametrize("text", ["10 passed, 1 xfailed", "12 examples, 0 failures", "test result: ok. 3 passed; 0 failed", "Errors: 0"])
def test_no_failures_are_no_failure(text: str) -> None:
    assert kind_and_reason(ran("pytest | tail -5", text=text))[0] == "success"


@pytest.mark.parametrize("text", ["no tests ran in 0.01s", "Ran 0 tests in 0.000s\n\nOK", "collected 0 items"])
def test_a_run_that_checked_nothing_is_no_evidence(text: str) -> None:
    assert kind_and_reason(FAILED, ran("pytest test_cart.py", text=text)) == ("failure", LAST_FAILED)
    assert kind_and_reason(ran("pytest", text=text)) == ("partial", UNTOLD)


def test_a_commit_is_evidence_where_no_check_is() -> None:
    commit = ran("git add -A && git commit -m 'Fix the cart'")
    assert kind_and_reason(commit) == ("success", "step #0 committed the work, and no step checked it")
    assert kind_and_reason(FAILED, commit) == ("partial", f"{LAST_FAILED}, and step #1 committed the work")
    assert kind_and_reason(commit, FAILED)[0] == "failure"
    assert kind_and_reason(ran("git -C repo -c user.name=x commit -am y"))[0] == "success"
    assert kind_and_reason(ran("git commit -m x", ok=False)) == ("partial", UNTOLD)
    assert kind_and_reason(ran("git log --grep commit; echo git; echo commit")) == ("partial", UNTOLD)


def test_an_interruption_is_told_with_what_the_last_check_showed() -> None:
    assert kind_and_reason(ran("ls"), interrupted=True) == ("partial", "the user interrupted the work")
    assert kind_and_reason(FAILED, interrupted=True) == ("partial", f"the user interrupted the work; {LAST_FAILED}")
    assert kind_and_reason(ran("ls"), cut_off=True) == ("partial", "the record ends in the middle of a call")


def test_the_users_next_words_count_above_everything_but_thanks_do_not_undo_a_failed_check() -> None:
    assert kind_and_reason(PASSED, next_words="still failing") == ("failure", "the user's next words: 'still failing'")
    assert kind_and_reason(ran("ls"), next_words="Thanks! Now the docs", interrupted=True)[0] == "success"
    assert kind_and_reason(FAILED, next_words="thanks") == ("partial", f"the user's next words: 'thanks', though {LAST_FAILED}")
    assert kind_and_reason(PASSED, next_words="Now the docs")[1] == "the last check of the work, step #0 (pytest), passed"


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        ("thanks", True),
        ("ok, thank you! Now add a test", True),
        ("Perfect. Next: the invoice", True),
        ("it works now", True),
        ("LGTM", True),
        ("Great, but the build still fails", False),
        ("still the same error", False),
        ("That didn't help", False),
        ("it doesn’t work", False),
        ("this is wrong, the sum must be rounded", False),
        ("revert that", False),
        ("Great idea would be to add a cache", None),
        ("thanks, but could you also look at the tests", None),
        ("Fix the test that fails on Windows", None),
        ("No problem, add the other one as well", None),
        ("The login is not working, please look", None),
        ("Works of Shakespeare: list them", None),
        ("", None),
    ],
)
def test_only_words_that_can_mean_nothing_else_are_a_verdict(words: str, verdict: bool | None) -> None:
    assert verdict_of(words) is verdict


def test_the_memorys_own_tools_are_those_of_the_server() -> None:
    assert set(TOOL_NAMES) == {tool.name for tool in FULL}


@pytest.mark.parametrize(
    "name",
    [
        *("mcp__memory__recall", "mcp__mcp-memory__log_steps", "memory__start_episode", "memory-log_step", "mcp_memory_recall"),
        *("memory_forget", "memory.recall", "memory/complete_episode", "mcp__plugin_mcp-memory_memory__recall", "start_episode"),
        "mcp__team__start_episode",
    ],
)
def test_our_tools_are_known_under_every_hosts_spelling(name: str) -> None:
    assert own_tool(name)
    assert not is_work(name)


@pytest.mark.parametrize("name", ["Bash", "mcp__crm__recall", "mcp__crm__forget", "restart_episode", "recall_candidates", ""])
def test_other_tools_are_work(name: str) -> None:
    assert is_work(name)


def test_a_turn_has_one_name_however_its_prompt_is_spaced_and_never_an_overlong_one() -> None:
    assert prompt_turn("fix  it\n") == prompt_turn("fix it") != prompt_turn("fix it", 1)
    assert len(turn_id("codex", "s" * 300, "t")) <= 200
    assert turn_id("codex", "s" * 300, "t") != turn_id("codex", "s" * 300, "u")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_793_527_200, (1_793_527_200_000, "seconds")),
        (1_793_527_200.5, (1_793_527_200_500, "seconds")),
        (1_793_527_200_000, (1_793_527_200_000, "")),
        (1_793_527_200_000_000, (1_793_527_200_000, "microseconds")),
        (1_793_527_200_000_000_000, (1_793_527_200_000, "nanoseconds")),
        (5, (5, "")),
        (float("nan"), (0, "")),
        (10**400, (0, "")),
        (-1, (0, "")),
    ],
)
def test_a_time_tells_its_unit(value: float, expected: tuple[int, str]) -> None:
    assert as_milliseconds(value) == expected
