"""How near an attempt came to the figure that its task asks for, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import attempt

pytestmark = pytest.mark.anyio
TASK = "Train a model on `data/tides.csv` that reaches at least 0.62 accuracy on the tides of next year, and save it as tides.bin"


async def test_an_attempt_that_succeeded_in_part_tells_the_figure_that_it_measured_last(memory: EpisodicMemory) -> None:
    script = {"tool": "bash", "arguments": {"command": "cat > train.py <<'EOF'\ntides = load('data/tides.csv')\nEOF"}}
    for rate, figure in ((0.1, "0.374"), (0.5, "0.59")):
        trained = {"tool": "bash", "arguments": {"command": f"python3 train.py --rate {rate}"}, "observation": f"Test accuracy: {figure}"}
        await attempt(memory, TASK, "partial", script, trained)
    said = recall_text(answer(await memory.recall(TASK)))
    assert "measured Test accuracy 0.374 last" in said
    assert "measured Test accuracy 0.59 last" in said
    assert "measured Test accuracy" in playbook_text(answer(await memory.recommend_playbook(TASK)))


async def test_with_the_figure_of_an_attempt_that_wrote_nothing_the_calls_are_told_that_reached_it(memory: EpisodicMemory) -> None:
    trained = {"tool": "bash", "arguments": {"command": "tidefit train data/tides.csv --epochs 3"}, "observation": "P@1: 0.561"}
    await attempt(memory, TASK, "partial", trained)
    said = recall_text(answer(await memory.recall(TASK)))
    assert "did `tidefit train data/tides.csv --epochs 3`" in said
    assert "measured P@1 0.561 last" in said
