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


ANSWERS = ("Well it is the boat with red sails", "You know that I forgot", "The harbour master said so", "Hello from the pier")


async def test_an_answer_that_names_an_id_is_followed_by_what_looks_it_up(memory: EpisodicMemory) -> None:
    for n, words in enumerate(ANSWERS):
        told = [call("ask", f"{words} XK{n}4PQ"), call("look_up", "moored at the quay")]
        await attempt(memory, f"Find the berth of guest {n}", "success", call("greet"), *told)
        await attempt(memory, f"Find the berth of captain {n}", "success", call("greet"), call("ask", words), call("explain"), *told)
    assert await first(memory, call("greet"), call("ask", "My boat is ZT88R5")) == "look_up"
    assert await first(memory, call("greet"), call("ask", "My boat is small")) == "explain"
    assert await first(memory, call("greet", "Welcome ZT88R5"), call("ask", "My boat is ZT88R5")) == "explain"


async def test_where_others_go_on_either_way_a_run_goes_on_as_it_did_and_worked_the_last_time(memory: EpisodicMemory) -> None:
    for n, way in enumerate(("scroll",) * 3 + ("edit",) * 2):
        steps = map(call, ("edit", "scroll", "open", way, "search", "open", way, "search", "save"))
        await attempt(memory, f"Set up the tide tables of harbour {n}", "success", *steps)
    begun = (call("edit"), call("scroll"), call("open"))
    assert await first(memory, *begun, call("edit"), call("look"), call("open")) == "edit"
    assert await first(memory, *begun, call("scroll"), call("look"), call("open")) == "scroll"
    assert await first(memory, *begun, call("edit", error="it is read-only"), call("look"), call("open")) == "scroll"
