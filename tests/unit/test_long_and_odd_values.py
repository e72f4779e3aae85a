"""Values that are long, or numbers only to the eye, take no answer down, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
TASK = "Set the tide gauge of Ebbholm"


def gauge(level: str, error: str | None = None) -> Step:
    return {"tool": "set_gauge", "arguments": {"level": level}, "observation": "" if error else "set", "error": error}


@pytest.mark.parametrize("level", ["²", "--5", "7" * 5_000])
async def test_a_value_that_is_no_number_to_read_is_a_value(memory: EpisodicMemory, level: str) -> None:
    for outcome in ("failure", "success"):
        await attempt(memory, TASK, outcome, gauge("high", "Error: level is no number"), gauge(level))
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=[gauge("high", "Error: level is no number")])
    assert next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_an_edit_of_one_very_long_line_is_compared_by_its_beginning(memory: EpisodicMemory) -> None:
    line = "gauge(1);" * 4_000  # compared whole it would take minutes
    edit = {"tool": "edit", "arguments": {"path": "gauge.js", "old": line, "new": f"tide();{line}"}, "observation": "edited"}
    await attempt(memory, TASK, "success", edit)
