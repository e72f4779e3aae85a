"""A run that asks again hears of what came, and not of what went, since it asked before: nothing kept for it outlives either."""

import pytest

from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
TASK = "Publish the handbook of the harbour office"


async def did(memory: EpisodicMemory, *tools: str, agent: str = "") -> str:
    started = await memory.start_episode(task=TASK, agent=agent, recall=False)
    await memory.log_steps(episode_id=started.episode_id, steps=[{"tool": tool, "observation": f"{tool} went well"} for tool in tools])
    await memory.complete_episode(episode_id=started.episode_id, outcome="success")
    return started.episode_id


async def told(memory: EpisodicMemory, run: str) -> dict[str, str]:
    asked = await memory.suggest_next_step(episode_id=run)
    return {suggestion.tool: suggestion.provenance for suggestion in asked.suggestions}


async def under_way(memory: EpisodicMemory) -> str:
    run = (await memory.start_episode(task=TASK, recall=False)).episode_id
    await memory.log_step(episode_id=run, tool="render", observation="render went well")
    return run


async def test_a_run_that_asks_again_follows_what_was_done_and_forgotten_meanwhile(memory: EpisodicMemory) -> None:
    await did(memory, "render", "upload")
    run = await under_way(memory)
    before = await told(memory, run)
    assert "upload" in before
    newer = [await did(memory, "render", "deploy") for _ in range(4)]
    assert "deploy" in await told(memory, run)
    await memory.forget(episode_ids=newer, confirm=True)
    assert await told(memory, run) == before


async def test_a_run_that_asks_again_hears_that_more_sources_stand_behind_the_advice(memory: EpisodicMemory) -> None:
    await did(memory, "render", "upload", agent="ana")
    run = await under_way(memory)
    assert (await told(memory, run))["upload"] == "unverified: 1 source (ana)"
    await did(memory, "render", "upload", agent="ben")
    assert (await told(memory, run))["upload"] == "2 sources (ana, ben)"
