"""What is suggested next goes by the run so far: by the tools that worked in it, and by what its last answer offers."""

import pytest

from mcp_memory.memory import EpisodicMemory
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio


async def first(memory: EpisodicMemory, *steps: Step) -> str:
    """Return the tool that is suggested first after *steps*."""
    started = await memory.start_episode("Set up the tide tables of the outer islands", recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return (await memory.suggest_next_step(started.episode_id)).suggestions[0].tool


def call(tool: str, observation: str = "", error: str | None = None) -> Step:
    return {"tool": tool, "arguments": {}, "observation": observation, "error": error}


async def test_a_tool_that_worked_in_this_run_needs_no_second_source_to_lead(memory: EpisodicMemory) -> None:
    for place in ("north", "south", "east", "west"):
        await attempt(memory, f"Print the tide table of the {place}", "success", call("load"), call("print"))
    await attempt(memory, "Draw the tides of the bay", "success", call("load"), call("draw"), call("draw"))
    assert await first(memory, call("load"), call("draw"), call("draw"), call("draw")) == "draw"
    assert await first(memory, call("load"), call("draw", error="no ink"), call("draw", error="no ink")) != "draw"
