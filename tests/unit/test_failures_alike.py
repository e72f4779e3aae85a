"""What attempts that failed at tasks like one have in common, and those about the very things of a run; through the facade, real files."""

from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.outcome_lines import completed_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
TASK = "hi, i would like to move my booking because the weather is bad"  # whose, it does not say
NO_SEATS = "Error: no seats are left on that ferry"


def call(tool: str, error: str | None = None, **arguments: Any) -> Step:
    return {"tool": tool, "arguments": arguments, "observation": "" if error else "done", "error": error}


async def playbook(memory: EpisodicMemory) -> str:
    return playbook_text(answer(await memory.recommend_playbook(TASK)))


async def test_where_all_failed_what_most_of_them_called_is_told_by_the_names_of_its_arguments(memory: EpisodicMemory) -> None:
    for number in (1, 2):
        await attempt(memory, TASK, "failure", call("move_booking", booking=f"XEHM4{number}", day=f"2026-05-0{number}"))
    await attempt(memory, TASK, "failure", call("respond", text="That is not possible."))
    said = await playbook(memory)
    assert "None of the 3 attempts" in said
    assert "Did not succeed at tasks like this (2 of 3 failed attempts found): did move_booking(booking, day)" in said
    assert "XEHM4" not in said


async def test_where_all_failed_the_error_that_most_of_them_met_is_told(memory: EpisodicMemory) -> None:
    for number in (1, 2):
        await attempt(memory, TASK, "failure", call("book_ferry", NO_SEATS, ferry=f"HAT00{number}"), call("respond", text=f"No {number}"))
    assert f"book_ferry failed in all 2, once with “{NO_SEATS}”" in await playbook(memory)


async def test_where_all_failed_the_error_that_one_of_them_never_got_past_is_told(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", *[call("book_ferry", NO_SEATS, ferry=f"HAT00{number}") for number in range(3)])
    await attempt(memory, TASK, "failure", call("move_booking", booking="XEHM4B"))
    said = f"book_ferry failed 3 times in one of them, the last with “{NO_SEATS}”, and never went through"
    assert said in await playbook(memory)


async def test_the_error_of_an_attempt_that_did_not_do_as_the_others_is_told_as_another_ones(memory: EpisodicMemory) -> None:
    for number in (1, 2):
        await attempt(memory, TASK, "failure", call("respond", text=f"That is not possible, number {number}."))
    await attempt(memory, TASK, "failure", *[call("book_ferry", NO_SEATS, ferry=f"HAT00{number}") for number in range(3)])
    said = f"in another one book_ferry failed 3 times, the last with “{NO_SEATS}”, and never went through"
    assert f"(2 of 3 failed attempts found): only replied: looked nothing up; {said}" in await playbook(memory)


async def test_that_failures_looked_nothing_up_is_no_news_to_a_run_that_did(memory: EpisodicMemory) -> None:
    for number in (1, 2):
        await attempt(memory, TASK, "failure", call("respond", text=f"That is not possible, number {number}."))
    for step, told in ((call("respond", text="Which booking is it?"), True), (call("get_booking", booking="XEHM4B"), False)):
        started = await memory.start_episode(TASK, recall=False)
        await memory.log_steps(started.episode_id, steps=[step])
        assert ("looked nothing up" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))) is told


async def test_a_run_is_told_what_failed_about_the_very_booking_that_it_has_looked_up(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", call("move_booking", booking="XEHM4B", day="2026-05-03"))
    for looked_up, told in (("XEHM4B", True), ("59XX6W", False)):
        started = await memory.start_episode(TASK, recall=False)
        await memory.log_steps(
            started.episode_id, steps=[{**call("get_booking", booking=looked_up), "observation": f"{looked_up}, 2026-05-03"}]
        )
        said = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
        assert (
            "Did not succeed at this task (the only failed attempt found): did move_booking booking=XEHM4B day=2026-05-03" in said
        ) is told
        assert ("XEHM4B" in said) is told


async def test_successes_at_this_task_and_at_others_like_it_are_counted_apart(memory: EpisodicMemory) -> None:
    task = "The tide table of the southern ferry prints the levels of yesterday after midnight in `TideTable.day` on every screen"
    change = {"path": "ferry/tides.py", "old_str": "self.day = today()"}
    here, there = (call("str_replace", **change, new_str=f"self.day = {new}") for new in ("today(utc)", "now(utc)"))
    await attempt(memory, task, "success", here)
    await attempt(memory, task.replace("southern", "northern").replace("screen", "board"), "success", here)
    await attempt(memory, task.replace("southern", "northern").replace("screen", "board"), "success", there)
    said = playbook_text(answer(await memory.recommend_playbook(task)))
    assert "Worked at this task (the only success found): changed ferry/tides.py: - self.day = today() + self.day = today(utc)" in said
    assert "alike (1 of 2 successes found): changed ferry/tides.py: - self.day = today() + self.day = now(utc)" in said


async def test_of_attempts_that_only_looked_things_up_it_is_told_what_with(memory: EpisodicMemory) -> None:
    for _ in range(2):
        await attempt(memory, TASK, "failure", call("get_booking", booking="XEHM4B"), call("respond", text="That is not possible."))
    said = "Did not succeed at tasks like this (2 of 2 failed attempts found): changed nothing: only called get_booking and replied"
    assert said in await playbook(memory)


async def test_a_failure_is_told_what_worked_for_the_very_booking_before_what_worked_for_another(memory: EpisodicMemory) -> None:
    async def moved(booking: str, outcome: str, *more: Step) -> str:
        started = await memory.start_episode(TASK, recall=False)
        looked_up = {**call("get_booking", booking=booking), "observation": f"{booking}, 2026-05-0{booking[4]}"}
        await memory.log_steps(started.episode_id, steps=[looked_up, *more])
        said = completed_text(answer(await memory.complete_episode(started.episode_id, outcome)))
        await memory.settle()
        return said

    wrong = call("move_booking", NO_SEATS, booking="XEHM4B", ferry="B2")
    await moved("XEHM4B", "success", wrong, wrong, call("move_booking", booking="XEHM4B", ferry="A7"))
    await moved("59XX6W", "success", call("cancel_booking", booking="59XX6W"))
    said = await moved("XEHM4B", "failure", call("move_booking", booking="XEHM4B", ferry="C9"))
    assert "Worked at this task (the only success found): move_booking booking=XEHM4B ferry=A7" in said
    assert "cancel_booking" not in said
