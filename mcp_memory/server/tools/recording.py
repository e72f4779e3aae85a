"""The tools an agent records its work with."""

from typing import TYPE_CHECKING

import mcp_memory.server.tools.fields as fields
from mcp_memory.rendering import render
from mcp_memory.server.outputs import answered
from mcp_memory.server.registry import Arguments, Tool, verb
from mcp_memory.server.schema import Json, boolean, free_object, integer, record, string, strings

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory


async def _log_step(memory: "EpisodicMemory", arguments: Arguments) -> dict[str, Json]:
    logged = await memory.log_step(**arguments)
    return {"episode_id": logged.episode_id, "step_index": logged.first_index}


async def _start_episode(memory: "EpisodicMemory", arguments: Arguments) -> dict[str, Json]:
    started = await memory.start_episode(**arguments)
    answer = render.answer(started)
    if not started.holdout:
        del answer["holdout"]
    return answer


START_EPISODE = Tool(
    name="start_episode",
    title="Start an episode",
    description=(
        "Call this first when you begin a task: opens an episode, returns what worked and failed in similar earlier "
        "tasks. The episode_id stays valid until forget."
    ),
    input_schema=record(
        {
            "task": string("In full"),
            "task_type": string(values=fields.TASK_TYPES),
            **fields.context(),
            "complexity": string(values=fields.COMPLEXITIES),
            "project": string(),
            "agent": string(),
            "metadata": free_object(),
            "parent_id": string(),
            "recall": boolean(),
            "budget_tokens": integer(),
        },
        ["task"],
    ),
    make_output_schema=answered("StartedEpisode", without=["holdout"]),
    run=_start_episode,
    always_load=True,
)

LOG_STEP = Tool(
    name="log_step",
    title="Log a step",
    description="Call this after each action that matters, failures above all, while an episode is open.",
    input_schema=record({"episode_id": string(), **fields.step()}, ["episode_id", "tool"]),
    make_output_schema=lambda: {
        "type": "object",
        "properties": {"episode_id": {"type": "string"}, "step_index": {"type": "integer"}},
        "required": ["episode_id", "step_index"],
    },
    run=_log_step,
    always_load=True,
)

LOG_STEPS = Tool(
    name="log_steps",
    title="Log several steps",
    description="Use this when several steps are waiting: 1 to 100, each with log_step's fields; all or none.",
    input_schema=record(
        {"episode_id": string(), "steps": {"type": "array", "items": {"type": "object"}}},
        ["episode_id", "steps"],
    ),
    checked_schema=record(
        {"episode_id": string(), "steps": {"type": "array", "items": record(fields.step(), ["tool"])}},
        ["episode_id", "steps"],
    ),
    make_output_schema=answered("LoggedSteps"),
    run=verb("log_steps"),
)

COMPLETE_EPISODE = Tool(
    name="complete_episode",
    title="Complete an episode",
    description=(
        "Call this once when the task has ended, well or badly: closes the episode for good, learns from it, returns "
        "reward, reflection and patterns."
    ),
    input_schema=record(
        {
            "episode_id": string(),
            "outcome": string(values=fields.OUTCOMES),
            "summary": string(),
            "lessons": strings("For a later attempt"),
            "artifacts": strings(),
            "completed": strings(),
            "failed": strings(),
            "error": string(),
        },
        ["episode_id", "outcome"],
    ),
    make_output_schema=answered("CompletedEpisode"),
    run=verb("complete_episode"),
    always_load=True,
)
