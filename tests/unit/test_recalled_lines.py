"""What a recall shows of an episode, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

pytestmark = pytest.mark.anyio


async def test_a_last_step_that_only_says_that_it_was_is_not_told(memory: EpisodicMemory) -> None:
    for number in range(2):
        started = await memory.start_episode("Reshard the sample data", recall=False)
        await memory.log_step(
            started.episode_id, "bash", arguments={"command": f"python reshard_{number}.py"}, observation="Wrote 30 files"
        )
        await memory.log_step(started.episode_id, "submit")
        await memory.complete_episode(started.episode_id, "success")
    text = recall_text(answer(await memory.recall("Reshard the sample data")))
    assert "reshard_1.py" in text
    assert "submit →" not in text
