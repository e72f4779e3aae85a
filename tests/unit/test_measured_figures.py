"""How near an attempt came to the figure that its task asks for, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import attempt

pytestmark = pytest.mark.anyio
TASK = "Train a model on `data/tides.csv` that reaches at least 0.62 accuracy on the tides of next year, and save it as tides.bin"


def shell(command: str, said: str = "", error: str = "") -> dict[str, object]:
    step: dict[str, object] = {"tool": "bash", "arguments": {"command": command}, "observation": said}
    return {**step, "status": "error", "error": error} if error else step


async def told(memory: EpisodicMemory, *steps: dict[str, object]) -> str:
    await attempt(memory, TASK, "partial", *steps)
    return recall_text(answer(await memory.recall(TASK)))


async def test_a_figure_is_told_with_the_call_that_measured_it_on_every_door_and_not_the_script_that_was_written_last(
    memory: EpisodicMemory,
) -> None:
    script = {"tool": "bash", "arguments": {"command": "cat > train.py <<'EOF'\ntides = load('data/tides.csv')\nEOF"}}
    for rate, figure in ((0.1, "0.374"), (0.5, "0.59")):
        trained = {"tool": "bash", "arguments": {"command": f"python3 train.py --rate {rate}"}, "observation": f"Test accuracy: {figure}"}
        await attempt(memory, TASK, "partial", script, trained)
    said = recall_text(answer(await memory.recall(TASK)))
    assert "measured Test accuracy 0.374 with `python3 train.py --rate 0.1`" in said
    assert "measured Test accuracy 0.59 with `python3 train.py --rate 0.5`" in said
    assert "wrote train.py" not in said
    assert "measured Test accuracy" in playbook_text(answer(await memory.recommend_playbook(TASK)))


async def test_of_several_figures_that_is_told_which_was_measured_on_the_file_that_the_task_asks_for_with_the_call_that_made_it(
    memory: EpisodicMemory,
) -> None:
    said = await told(
        memory,
        shell("tidefit train data/tides.csv -output tides --epochs 5", error="command timed out and was killed"),
        shell("tidefit test tides.bin", "P@1: 0.593"),
        shell("tidefit train data/tides.csv -output tides_deep --epochs 3"),
        shell("tidefit test tides_deep.bin", "P@1: 0.561"),
    )
    made = "`tidefit train data/tides.csv -output tides --epochs 5` had made, though it ended with “command timed out and was killed”"
    assert f"measured P@1 0.593 on tides.bin, which {made}" in said
    assert "0.561" not in said


async def test_a_figure_of_a_file_that_another_call_was_to_write_after_that_is_told_as_of_before_it(memory: EpisodicMemory) -> None:
    train = "tidefit train data/tides.csv -output tides"
    killed = shell(f"{train} --epochs 50", error="killed")
    said = await told(memory, shell(train), shell("tidefit test tides.bin", "P@1: 0.453"), killed)
    assert f"measured P@1 0.453 on tides.bin, which `{train}` had made, before another call was to write it anew" in said


async def test_of_the_figures_of_scripts_the_best_is_told_where_none_names_what_the_task_asks_for(memory: EpisodicMemory) -> None:
    runs = [shell(f"python3 {name}.py", f"Subset accuracy: {figure}") for name, figure in (("bayes", "0.43"), ("hybrid", "0.37"))]
    assert "measured Subset accuracy 0.43 at best, with `python3 bayes.py`" in await told(memory, *runs)
