"""Attempts about the very things that a run has called for are told to it, in whatever words the tasks were put; through the facade."""

from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.outcome_lines import completed_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
ASKED, OTHERWISE = "Hello! My crossing has to be on another day.", "I would like some help with the ferry that I booked, please"
LOOKED = {"tool": "get_booking", "arguments": {"booking_id": "EUJUY6"}, "observation": "EUJUY6 of mia_li_3668, paid by card_77123"}
TAKEN_OUT = "Error: ferry HAT030 does not sail that day"


def call(tool: str, error: str | None = None, **arguments: Any) -> Step:
    return {"tool": tool, "arguments": arguments, "observation": "" if error else "done", "error": error}


async def advised(memory: EpisodicMemory, *steps: Step, task: str = ASKED) -> str:
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_that_all_successes_about_the_same_booking_handed_it_over_is_told(memory: EpisodicMemory) -> None:
    for number in range(3):
        task = f"{OTHERWISE} ({'very ' * number}urgent)"
        await attempt(memory, task, "success", LOOKED, call("transfer_to_human_agents", summary=f"Cannot be moved, {number}"))
    said = "Worked at tasks about the same EUJUY6 (3 of 3 successes found): changed nothing, ended with transfer_to_human_agents"
    assert said in await advised(memory, LOOKED)
    other = {**LOOKED, "arguments": {"booking_id": "59XX6W"}, "observation": "59XX6W"}
    assert "EUJUY6" not in await advised(memory, other)


async def test_what_was_called_for_the_same_booking_is_told_with_its_values(memory: EpisodicMemory) -> None:
    await attempt(memory, OTHERWISE, "success", LOOKED, call("move_booking", booking_id="EUJUY6", ferry="HAT110"))
    said = "Worked at a task about the same EUJUY6 (the only success found): move_booking booking_id=EUJUY6 ferry=HAT110"
    assert said in await advised(memory, LOOKED)
    assert said not in await advised(memory, LOOKED, call("move_booking", booking_id="EUJUY6", ferry="HAT110")), "it has done so"


async def test_a_repair_that_only_a_failure_made_is_not_told_where_successes_left_the_error_alone(memory: EpisodicMemory) -> None:
    refused = call("move_booking", TAKEN_OUT, booking_id="EUJUY6", ferries=["HAT030", "HAT052"])
    kept = call("move_booking", booking_id="EUJUY6", ferries=["HAT052"])
    await attempt(memory, ASKED, "failure", LOOKED, refused, kept)
    told = await advised(memory, LOOKED, refused)
    assert "HAT052" in told
    assert "in a run that did not succeed" in told
    for number in range(2):
        await attempt(memory, ASKED, "success", LOOKED, refused, call("respond", text=f"That cannot be done, {number}."))
    told = await advised(memory, LOOKED, refused)
    assert f"(2 of 2 successes found): changed nothing: move_booking failed with “{TAKEN_OUT}”" in told
    assert "made the call work" not in told
    assert "went through" not in told


async def test_of_a_failure_what_was_accepted_in_place_of_what_the_error_names_is_not_told(memory: EpisodicMemory) -> None:
    refused, taken = (
        call("move_booking", error, booking_id="EUJUY6", ferry=ferry)
        for ferry, error in (("HAT229", "Error: no seats on HAT229"), ("HAT084", None))
    )
    task = "Move booking EUJUY6 to the fastest ferry of May 27"
    await attempt(memory, task, "failure", LOOKED, refused, taken)
    told = recall_text(answer(await memory.recall(task)))
    assert "move_booking failed with “Error: no seats on HAT229”, and it got past that" in told, "it is not why it failed"
    assert "went through" not in told


async def test_a_completion_tells_not_what_its_run_did_as_well(memory: EpisodicMemory) -> None:
    send = call("send_certificate", user_id="mia_li_3668", amount=50)
    task = "My ferry was late and I want my money back, says mia_li_3668"
    await attempt(memory, task, "success", LOOKED, send)
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, steps=[LOOKED, send, call("book_ferry", "Error: the sum is wrong", ferry="HAT001")])
    assert "send_certificate" not in completed_text(answer(await memory.complete_episode(started.episode_id, "failure")))


async def test_how_one_success_at_another_case_ended_is_no_advice(memory: EpisodicMemory) -> None:
    asked, near = "Hi, I need to change a ferry that I booked, please", "Hi, I need to change the ferry that I booked, please."
    await attempt(memory, near, "success", LOOKED, call("transfer_to_human_agents", summary="Cannot be moved"))
    asks = call("respond", text="Which booking is it?")
    assert "transfer_to_human_agents" not in await advised(memory, asks, task=asked)
    assert "changed nothing" not in recall_text(answer(await memory.recall(asked)))
    await attempt(memory, f"{near} Thanks", "success", LOOKED, call("transfer_to_human_agents", summary="It has left"))
    assert "(2 of 2 successes found): changed nothing, ended with transfer_to_human_agents" in await advised(memory, asks, task=asked)


async def test_of_a_failure_that_made_all_the_calls_of_a_success_nothing_is_told(memory: EpisodicMemory) -> None:
    moved = call("move_booking", booking_id="EUJUY6", ferry="HAT110")
    await attempt(memory, OTHERWISE, "success", LOOKED, moved)
    await attempt(memory, f"{OTHERWISE}!", "failure", LOOKED, moved, call("respond", text="It is moved."))
    told = await advised(memory, LOOKED)
    assert "Worked at a task about the same EUJUY6" in told
    assert "Did not succeed" not in told


async def test_attempts_at_the_task_and_at_others_about_the_same_that_did_the_same_count_together(memory: EpisodicMemory) -> None:
    moved = call("move_booking", booking_id="EUJUY6", ferry="HAT110")
    for task in (ASKED, OTHERWISE):
        await attempt(memory, task, "success", LOOKED, moved)
    said = "Worked at tasks about the same EUJUY6 (2 of 2 successes found): move_booking booking_id=EUJUY6 ferry=HAT110"
    assert said in await advised(memory, LOOKED)


async def test_how_many_failures_made_the_same_calls_is_counted_with_the_values_that_are_told(memory: EpisodicMemory) -> None:
    bags, asks = call("add_bags", booking_id="EUJUY6", bags=2), call("respond", text="Two bags more?")
    for steps in ((asks, bags), (bags,)):
        await attempt(memory, ASKED, "failure", LOOKED, *steps)
    said = "(2 of 2 failed attempts found): did add_bags booking_id=EUJUY6 bags=2"
    assert said in await advised(memory, LOOKED)
