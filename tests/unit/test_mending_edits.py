"""All that was edited between a failed call and the same one that worked is told with its error; through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "The tide table of the southern ferry prints the levels of yesterday after midnight in `TideTable.day` on every screen"
ERROR = "TypeError: unsupported operand type(s) for -: 'Tide' and 'NoneType'"
RUN, FAILED = shell("python show.py"), shell("python show.py", ERROR)


def edit(path: str, old: str, new: str) -> Step:
    return {"tool": "str_replace", "arguments": {"path": path, "old_str": old, "new_str": new}, "observation": "edited"}


async def advised(memory: EpisodicMemory, *steps: Step) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_every_edit_between_the_error_and_the_call_that_worked_is_told_the_likeliest_first(memory: EpisodicMemory) -> None:
    first = edit("ferry/tides.py", "level = tide - self.base", "level = tide - (self.base or Tide(0))")
    last = edit("ferry/pages.py", "title = 'Tides'", "title = 'Levels'")
    await attempt(memory, TASK, "success", FAILED, first, last, RUN)
    opened = {"tool": "open", "arguments": {"path": "ferry/pages.py"}, "observation": "title = 'Tides'"}
    said = await advised(memory, opened, {**opened, "arguments": {"path": "ferry/tides.py"}}, FAILED)
    assert (
        "After this very error str_replace ferry/tides.py: - level = tide - self.base + level = tide - (self.base or Tide(0)) "
        "(with ferry/pages.py: - title = 'Tides' + title = 'Levels') made the call work"
    ) in said


async def test_what_was_edited_before_the_same_error_came_again_is_told_too(memory: EpisodicMemory) -> None:
    edits = [edit("ferry/tides.py", f"{name} = None", f"{name} = Tide(0)") for name in ("base", "level")]
    await attempt(memory, TASK, "success", FAILED, edits[0], FAILED, edits[1], RUN)
    opened = {"tool": "open", "arguments": {"path": "ferry/tides.py"}, "observation": "base = None"}
    said = await advised(memory, opened, FAILED)
    assert "ferry/tides.py: - base = None + base = Tide(0); - level = None + level = Tide(0) made the call work" in said
