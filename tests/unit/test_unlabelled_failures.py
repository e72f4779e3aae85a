"""Agents that log no status: an answer that is nothing but an error is a failure, and what a tool submits or transfers is an act."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio


def said(tool: str, observation: str, action: str = "", **arguments: object) -> Step:
    return {"tool": tool, "action": action or None, "arguments": arguments, "observation": observation}


async def test_a_step_whose_answer_begins_as_an_error_failed_though_nobody_said_so(memory: EpisodicMemory) -> None:
    refused = said("psql", "FAILED: permission denied to alter role", "alter role app as app")
    await attempt(memory, "Rotate the staging password", "success", refused, said("psql", "OK", "alter role app as superuser"))
    started = await memory.start_episode("Rotate the staging password once more")
    told = recall_text(answer(started.recalled))
    assert "as superuser" in told
    assert "did psql “alter role app as app”" not in told
    await memory.log_step(started.episode_id, **refused)
    assert "as superuser" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


@pytest.mark.parametrize(
    ("step", "failures"),
    [
        (said("read_file", "ERROR: disk full on /data\nrestarting the writer", path="app.log"), 0),
        (said("bash", "ERROR: disk full on /data", command="grep ERROR app.log"), 0),
        (said("read_file", "Error: there is no such file", path="app.log"), 1),
        (said("bash", "Error: there is no such script", command="npm run deploy"), 1),
        ({**said("run", "Error: there is no such script"), "status": "ok"}, 0),
    ],
)
async def test_what_a_look_shows_is_no_failure_of_the_look(memory: EpisodicMemory, step: Step, failures: int) -> None:
    started = await memory.start_episode("Look at the writer", recall=False)
    await memory.log_step(started.episode_id, **step)
    episode = (await memory.get_episode(started.episode_id, detail="steps")).episode
    assert sum(step.failed for step in episode.steps) == failures


async def test_a_run_that_submitted_a_job_or_transferred_money_did_not_change_nothing(memory: EpisodicMemory) -> None:
    await attempt(memory, "Run the nightly job", "success", said("check_job", "idle", job="j1"), said("submit_job", "accepted", job="j1"))
    await attempt(memory, "Pay the rent for May", "success", said("transfer_funds", "done", to="landlord", amount=90))
    assert "did submit_job “j1”" in recall_text(answer(await memory.recall("Run the nightly job")))
    assert "did transfer_funds to=landlord amount=90" in recall_text(answer(await memory.recall("Pay the rent for May")))
