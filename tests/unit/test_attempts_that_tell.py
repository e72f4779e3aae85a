"""Of many attempts at a task those that tell something are told, however little room there is, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.lines import recall_text, started_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "The tide table of the southern ferry prints yesterday's levels after midnight, and `TideTable.day` is asked too early"
CHANGED = "changed ferry/tides.py: - self.day = today() + self.day = today(utc)"


def edited(path: str, old: str, new: str) -> Step:
    return {"tool": "str_replace", "arguments": {"path": path, "old_str": old, "new_str": new}, "observation": "done"}


async def many_silent_attempts_and_one_that_changed_a_file(memory: EpisodicMemory) -> None:
    change = edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)")
    await attempt(memory, TASK, "failure", change, shell("make tables", "exit 2"), shell("make tables", "exit 2"))
    for number in range(4):
        await attempt(memory, TASK, "failure", shell(f"make tables DAY={number}"))


async def test_a_recall_of_one_row_shows_the_attempt_that_tells_something(memory: EpisodicMemory) -> None:
    await many_silent_attempts_and_one_that_changed_a_file(memory)
    found = await memory.recall(TASK, limit=1)
    assert len(found.episodes) == 1
    assert CHANGED in recall_text(answer(found))


async def test_a_start_with_little_room_shows_the_attempt_that_tells_something(memory: EpisodicMemory) -> None:
    await many_silent_attempts_and_one_that_changed_a_file(memory)
    assert CHANGED in started_text(answer(await memory.start_episode(TASK, budget_tokens=400)))


async def test_pages_show_each_attempt_when_the_first_shows_one_that_tells(memory: EpisodicMemory) -> None:
    await many_silent_attempts_and_one_that_changed_a_file(memory)
    seen, cursor = list[str](), None
    while True:
        page = await memory.recall(TASK, limit=2, cursor=cursor)
        seen += [row.episode_id for row in page.episodes]
        if (cursor := page.next_cursor) is None:
            break
    assert len(set(seen)) >= 4
