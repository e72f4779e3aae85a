"""The tools an agent records its work with."""

from typing import TYPE_CHECKING

from mcp_memory.rendering import render
from mcp_memory.rendering.lines import started_text
from mcp_memory.rendering.outcome_lines import completed_text, logged_text
from mcp_memory.server.outputs import Json, answered
from mcp_memory.server.registry import Tool, verb

if TYPE_CHECKING:
    from mcp_memory.domain import requests
    from mcp_memory.server.memory_protocol import Memory


async def _log_step(memory: "Memory", asked: "requests.LogStep") -> dict[str, Json]:
    logged = await memory.log_step(asked)
    return {"episode_id": logged.episode_id, "step_index": logged.first_index}


async def _start_episode(memory: "Memory", asked: "requests.StartEpisode") -> dict[str, Json]:
    started = await memory.start_episode(asked)
    answer = render.answer(started)
    if not started.holdout:
        del answer["holdout"]
    return answer


START_EPISODE = Tool(
    name="start_episode",
    title="Start an episode",
    description=("Call this first when you begin a task: opens an episode, returns what worked and failed in similar tasks."),
    make_output_schema=answered("StartedEpisode", without=["holdout"]),
    run=_start_episode,
    lines=lambda data, asked: started_text(data),
    always_load=True,
)

LOG_STEP = Tool(
    name="log_step",
    title="Log a step",
    description="Call this after each action that matters, failures above all, while an episode is open.",
    make_output_schema=lambda: {
        "type": "object",
        "properties": {"episode_id": {"type": "string"}, "step_index": {"type": "integer"}},
        "required": ["episode_id", "step_index"],
    },
    run=_log_step,
    lines=lambda data, asked: logged_text(data),
    always_load=True,
)

LOG_STEPS = Tool(
    name="log_steps",
    title="Log several steps",
    description="Use this when several steps (1 to 100) are waiting; all or none.",
    make_output_schema=answered("LoggedSteps"),
    run=verb("log_steps"),
    lines=lambda data, asked: logged_text(data),
)

COMPLETE_EPISODE = Tool(
    name="complete_episode",
    title="Complete an episode",
    description=("Call this when the task has ended, well or badly: closes the episode, learns from it. Again, it adds lessons."),
    make_output_schema=answered("CompletedEpisode"),
    run=verb("complete_episode"),
    lines=lambda data, asked: completed_text(data),
    always_load=True,
    idempotent=True,
)
