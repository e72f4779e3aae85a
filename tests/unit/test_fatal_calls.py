"""Calls that go well and stand in failures alone are told with their counts, through the facade on real files."""

from collections.abc import Mapping
from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

pytestmark = pytest.mark.anyio
Step = Mapping[str, Any]
TASK = "Deploy the billing stack to staging with Terraform"
EXISTS = "Error: creating EBS Volume: VolumeAlreadyExists: data-staging"


def shell(command: str, error: str | None = None) -> Step:
    return {"tool": "bash", "arguments": {"command": command}, "observation": "" if error else "ok", "error": error}


FORGET = shell("terraform state rm aws_ebs_volume.data")
PLAN, APPLY = shell("terraform plan -out tf.plan"), shell("terraform apply tf.plan")
FAILED = [FORGET, PLAN, shell("terraform apply tf.plan", EXISTS)]
WORKED = [shell("terraform force-unlock -force 3f2a"), PLAN, APPLY]


async def attempt(memory: EpisodicMemory, steps: list[Step], outcome: str, **said: Any) -> None:
    started = await memory.start_episode(TASK, recall=False)
    for step in steps:
        await memory.log_step(started.episode_id, **step)
    await memory.complete_episode(started.episode_id, outcome, **said)
    await memory.settle()


async def advised(memory: EpisodicMemory, intended: Step | None = None) -> str:
    started = await memory.start_episode(TASK, recall=False)
    wanted = {name: intended[name] for name in ("tool", "arguments")} if intended else None
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id, intended=wanted)))


async def test_a_call_that_went_well_in_failures_alone_is_warned_of_with_its_counts(memory: EpisodicMemory) -> None:
    await attempt(memory, FAILED, "failure")
    await attempt(memory, WORKED, "success")
    assert "Warning" not in await advised(memory, FORGET), "one failure alone says nothing"
    await attempt(memory, [shell("terraform init"), *FAILED], "failure")
    told = await advised(memory, FORGET)
    assert "went well itself, but 2 of 2 failures at this task made that call and none of 1 success" in told
    assert "Warning" not in await advised(memory, PLAN), "which successes made, too"
    await attempt(memory, [FORGET, *WORKED], "success")
    assert "Warning" not in await advised(memory, FORGET), "one success that made it clears it"


async def test_what_failures_alone_did_is_told_beside_what_worked(memory: EpisodicMemory) -> None:
    await attempt(memory, FAILED, "failure")
    await attempt(memory, FAILED, "failure")
    await attempt(memory, WORKED, "success")
    call = "`terraform state rm aws_ebs_volume.data`"
    assert f"unlike it, 2 attempts that did not succeed called {call}" in recall_text(answer(await memory.recall(TASK)))
    assert f"unlike what worked, did {call} (as 2 of 2 failures)" in await advised(memory)


async def test_a_call_that_was_tried_in_vain_is_not_said_to_have_been_left_out(memory: EpisodicMemory) -> None:
    await attempt(memory, FAILED, "failure")
    await attempt(memory, WORKED, "success")
    told = await advised(memory)
    assert "without `terraform force-unlock -force 3f2a`" in told
    assert "without `terraform force-unlock -force 3f2a`, " not in told


async def test_why_an_attempt_failed_is_told_in_the_words_it_was_told_in(memory: EpisodicMemory) -> None:
    light = {"tool": "light_on", "arguments": {"entity": "living", "brightness": 20}, "observation": "ok"}
    await attempt(memory, [light], "failure", error="The user says: brightness goes to 255")
    assert "The user says: brightness goes to 255" in recall_text(answer(await memory.recall(TASK)))
    assert "The user says: brightness goes to 255" in await advised(memory)
