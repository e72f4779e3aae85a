"""What a run that has begun is told of calls that it has made itself, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.outcome_lines import completed_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
TASK = "Give back the cabins KX72QD and RM31ZT of the passenger ada_boe_4417, who missed the ferry"
FIRST, SECOND, THIRD = "KX72QD", "RM31ZT", "VP58LA"


def gives_back(cabin: str) -> Step:
    return {"tool": "cancel_cabin", "arguments": {"cabin_id": cabin}, "observation": f"{cabin} is free"}


async def told(memory: EpisodicMemory, *steps: Step) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_of_what_worked_the_calls_are_told_that_the_run_has_not_made(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "success", gives_back(FIRST), gives_back(SECOND))
    said = "Worked at this task (the only success found): "
    assert f"{said}besides what this run did, cancel_cabin “{SECOND}”" in await told(memory, gives_back(FIRST))
    assert f"{said}cancel_cabin “{FIRST}”; cancel_cabin “{SECOND}”" in await told(memory, gives_back(SECOND)), (
        "what came first may be missing"
    )
    assert "Worked" not in await told(memory, gives_back(FIRST), gives_back(SECOND))


async def test_that_the_run_made_the_very_calls_that_failed_before_is_said(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", gives_back(FIRST))
    assert "Made in this run, too: did not succeed at this task" in await told(memory, gives_back(FIRST))
    assert "Made in this run" not in await told(memory, gives_back(SECOND))


async def test_what_a_failure_did_as_what_worked_is_not_told(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "success", gives_back(FIRST), gives_back(SECOND))
    await attempt(memory, TASK, "failure", gives_back(FIRST))
    said = "Did not succeed at this task (the only failed attempt found): unlike what worked, without "
    assert f"{said}cancel_cabin “{SECOND}”" in await told(memory, gives_back(THIRD))
    assert "Did not succeed" not in await told(memory, gives_back(FIRST), gives_back(SECOND)), "the run has done that"


async def test_of_a_failure_that_did_all_that_worked_is_told_what_it_did_besides(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "success", gives_back(FIRST), gives_back(SECOND))
    await attempt(memory, TASK, "failure", gives_back(FIRST), gives_back(SECOND), gives_back(THIRD))
    said = f"Did not succeed at this task (the only failed attempt found): besides what worked, did cancel_cabin “{THIRD}”"
    assert said in await told(memory, gives_back(FIRST))


async def test_a_run_that_failed_is_told_what_worked_besides_what_it_did(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "success", gives_back(FIRST), gives_back(SECOND))
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=[gives_back(FIRST)])
    said = completed_text(answer(await memory.complete_episode(started.episode_id, "failure")))
    assert f"besides what this run did, cancel_cabin “{SECOND}”" in said
