"""What a model reads of a listing and of the memory's state: lines, with the rest in the structured answer."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.episode_lines import episodes_text
from mcp_memory.rendering.render import answer
from mcp_memory.rendering.status_lines import status_text
from tests.unit.attempts import attempt, shell

pytestmark = pytest.mark.anyio


async def test_a_listing_is_a_line_an_episode_with_what_goes_on_last(memory: EpisodicMemory) -> None:
    for page in ("pricing", "basket", "search"):
        await attempt(memory, f"Fix the {page} page", "failure" if page == "basket" else "success", shell("make"))
    head, first, more = episodes_text(answer(await memory.search_episodes("page", limit=1)), everywhere=False).splitlines()
    assert head.endswith("3 found:")
    assert ", 1 step (" in first
    assert more.startswith("More: cursor=")
    rows = episodes_text(answer(await memory.search_episodes("basket")), everywhere=False).splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["failure"]


async def test_a_listing_of_nothing_says_how_to_search_the_other_projects(memory: EpisodicMemory) -> None:
    nothing = answer(await memory.search_episodes("page"))
    assert episodes_text(nothing, everywhere=False) == "No episode of this project is like that; project=* searches all."
    assert episodes_text(nothing, everywhere=True) == "No episode is like that."


async def test_the_state_of_the_memory_is_a_few_lines(memory: EpisodicMemory) -> None:
    await attempt(memory, "Fix the pricing page", "success", shell("make"))
    told = status_text(answer(await memory.memory_status()))
    assert "Holds 1 episodes, 0 open, 1 steps" in told
    assert "Shared log: off" in told
    assert len(told) < 900
