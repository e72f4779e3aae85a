"""A change that its own run could not be tried with is told with that, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "The tide table of the southern ferry prints yesterday's levels after midnight, and `TideTable.day` is asked too early"
STILL = "AttributeError: 'NoneType' object has no attribute 'levels'"
CHANGE: Step = {
    "tool": "str_replace",
    "arguments": {"path": "ferry/tides.py", "old_str": "self.day = today()", "new_str": "self.day = today(utc)"},
    "observation": "done",
}
WRITTEN: Step = {"tool": "create", "arguments": {"path": "repro.py", "file_text": "print(TideTable().day)"}, "observation": "done"}


async def doors(memory: EpisodicMemory) -> list[str]:
    return [recall_text(answer(await memory.recall(TASK))), playbook_text(answer(await memory.recommend_playbook(TASK)))]


async def test_a_failed_change_is_told_with_the_error_that_its_last_run_met(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", WRITTEN, shell("python repro.py", "KeyError: 'day'"), CHANGE, shell("python repro.py", STILL))
    recalled, book = await doors(memory)
    assert f"its last run failed with “{STILL}”" in recalled
    assert f"self.day = today(utc) → `{STILL}`" in book
    assert "KeyError" not in recalled + book


async def test_where_the_last_run_went_well_or_was_of_something_else_nothing_is_told_of_it(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", WRITTEN, CHANGE, shell("python repro.py", STILL), shell("python repro.py"))
    await attempt(memory, TASK, "failure", CHANGE, shell("ls build", "ls: cannot access 'build': No such file or directory"))
    for said in await doors(memory):
        assert "changed ferry/tides.py" in said
        assert STILL not in said
        assert "cannot access" not in said
