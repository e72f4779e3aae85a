"""Calls that go well and stand in failures alone are told with their counts, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "Deploy the billing stack to staging with Terraform"
EXISTS = "Error: creating EBS Volume: VolumeAlreadyExists: data-staging"


FORGET = shell("terraform state rm aws_ebs_volume.data")
PLAN, APPLY = shell("terraform plan -out tf.plan"), shell("terraform apply tf.plan")
FAILED = [FORGET, PLAN, shell("terraform apply tf.plan", EXISTS)]
WORKED = [shell("terraform force-unlock -force 3f2a"), PLAN, APPLY]


async def advised(memory: EpisodicMemory, intended: Step | None = None) -> str:
    started = await memory.start_episode(TASK, recall=False)
    wanted = {name: intended[name] for name in ("tool", "arguments")} if intended else None
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id, intended=wanted)))


async def test_a_call_that_went_well_in_failures_alone_is_warned_of_with_its_counts(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", *FAILED)
    await attempt(memory, TASK, "success", *WORKED)
    assert "Warning" not in await advised(memory, FORGET), "one failure alone says nothing"
    await attempt(memory, TASK, "failure", shell("terraform init"), *FAILED)
    told = await advised(memory, FORGET)
    assert "went well itself, but 2 of 2 failures at this task made that call and none of 1 success" in told
    assert "Warning" not in await advised(memory, PLAN), "which successes made, too"
    await attempt(memory, TASK, "success", FORGET, *WORKED)
    assert "Warning" not in await advised(memory, FORGET), "one success that made it clears it"


async def test_what_failures_alone_did_is_told_beside_what_worked(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", *FAILED)
    await attempt(memory, TASK, "failure", *FAILED)
    await attempt(memory, TASK, "success", *WORKED)
    call = "`terraform state rm aws_ebs_volume.data`"
    assert f"unlike it, 2 attempts that did not succeed called {call}" in recall_text(answer(await memory.recall(TASK)))
    assert f"unlike what worked, did {call} (as 2 of 2 failures)" in await advised(memory)


async def test_a_call_that_was_tried_in_vain_is_not_said_to_have_been_left_out(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", *FAILED)
    await attempt(memory, TASK, "success", *WORKED)
    told = await advised(memory)
    assert "without `terraform force-unlock -force 3f2a`" in told
    assert "without `terraform force-unlock -force 3f2a`, " not in told


async def test_why_an_attempt_failed_is_told_in_the_words_it_was_told_in(memory: EpisodicMemory) -> None:
    light = {"tool": "light_on", "arguments": {"entity": "living", "brightness": 20}, "observation": "ok"}
    await attempt(memory, TASK, "failure", light, error="The user says: brightness goes to 255")
    assert "The user says: brightness goes to 255" in recall_text(answer(await memory.recall(TASK)))
    assert "The user says: brightness goes to 255" in await advised(memory)


async def test_what_put_an_error_right_is_told_for_another_host_where_it_does_not_name_the_first(memory: EpisodicMemory) -> None:
    def refused(host: str) -> Step:
        said = "Failed to connect to the host via ssh: Permission denied (publickey)"
        return shell(f"ansible-playbook -i hosts {host}.yml", f'fatal: [{host}]: UNREACHABLE! => {{"msg": "{said}"}}')

    await attempt(memory, TASK, "success", refused("web1"), shell("ssh-add key"), shell("ansible-playbook -i hosts web1.yml"))
    started = await memory.start_episode("Roll out the playbook on the mail server", recall=False)
    await memory.log_step(started.episode_id, **refused("mail1"))
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "After this very error bash `ssh-add key` made the call work" in told, "which host it was is no part of the message"


async def test_steps_that_are_sentences_alone_are_told_by_them_and_are_not_one_call(memory: EpisodicMemory) -> None:
    def did(action: str, error: str | None = None) -> Step:
        return {"tool": "agent", "action": action, "observation": "" if error else "ok", "error": error}

    away = "Maria is on leave until Monday"
    asked, instead = did("Asked Maria for the churn figure", away), did("Took the churn figure from the CRM dashboard")
    await attempt(memory, TASK, "success", asked, instead, did("Wrote and sent the report"))
    assert "agent “Took the churn figure from the CRM dashboard”" in recall_text(answer(await memory.recall(TASK)))
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_step(started.episode_id, **asked)
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "After this very error agent “Took the churn figure from the CRM dashboard” did the job instead" in told


async def test_another_use_of_the_program_is_what_made_a_command_work_and_never_the_command_itself(
    memory: EpisodicMemory,
) -> None:
    none = "[FTL] Could not run nuclei: no templates provided for scan"
    scan = "nuclei -u https://shop.example -tags redirect"
    await attempt(memory, TASK, "success", shell(scan, none), shell("nuclei -update-templates"), shell(scan))
    told = await _told_after(memory, shell("nuclei -u https://help.example -tags redirect", none))
    assert "After this very error bash `nuclei -update-templates` made the call work" in told
    again = "Error: registry timed out while it was asked"
    await attempt(memory, TASK, "success", shell("crane pull a", again), shell("crane pull a"))
    assert "made the call work" not in await _told_after(memory, shell("crane pull b", again))


async def _told_after(memory: EpisodicMemory, failed: Step) -> str:
    started = await memory.start_episode("Look at the help desk", recall=False)
    await memory.log_step(started.episode_id, **failed)
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
