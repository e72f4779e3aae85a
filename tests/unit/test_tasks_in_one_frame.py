"""Tasks that a harness puts into one long frame of instructions are told apart by what they ask for, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
FRAME = """I have put a code repository into the directory /home/ada/harbour. Consider the report below, which one of its users wrote.
Make the smallest changes to the files that are no tests so that what the report asks for is met.
The tests that it mentions are changed already, so you need not touch the testing logic at all.
The development environment is set up with every dependency installed; install no other packages.
First read the problem and say it again in clearer words, then explore the files around it.
Write a script that reproduces it, state what has to be done, mend it with care, run your reproduction again.
In the end go through the report once more and compare it with what you have done so far.
"""
TIDES, NAMES = (
    f"{FRAME}Report: tide levels are rounded twice in the weekly summary",
    f"{FRAME}Report: ferry names with umlauts break the search",
)


def edited(path: str, new: str) -> Step:
    return {"tool": "str_replace", "arguments": {"path": path, "old_str": "x = 1", "new_str": new}, "observation": "done"}


async def told(memory: EpisodicMemory, task: str) -> str:
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(
        started.episode_id, steps=[{"tool": "read_file", "arguments": {"path": "harbour/main.py"}, "observation": "x = 1"}]
    )
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_attempts_at_another_task_in_the_same_frame_are_neither_told_nor_counted(memory: EpisodicMemory) -> None:
    await attempt(memory, TIDES, "failure", edited("harbour/tides.py", "x = round(1)"))
    await attempt(memory, TIDES, "failure", edited("harbour/tides.py", "x = float(1)"))
    await attempt(memory, NAMES, "success", edited("harbour/search.py", "x = fold(1)"))
    assert "Did not succeed at this task (1 of 2 failed attempts found): changed harbour/tides.py" in (said := await told(memory, TIDES))
    assert "harbour/search.py" not in said
    assert "tides.py" not in (said := await told(memory, NAMES))
    assert "Worked at this task (the only success found): changed harbour/search.py" in said
    assert "harbour/" not in await told(memory, f"{FRAME}Report: the lighthouse clock is an hour late")


async def test_the_same_report_with_a_word_more_in_the_frame_is_the_same_task(memory: EpisodicMemory) -> None:
    await attempt(memory, NAMES, "success", edited("harbour/search.py", "x = fold(1)"))
    assert "Worked at" in await told(memory, NAMES.replace("break the search", "break our search"))


async def test_a_frame_that_names_another_folder_in_each_task_is_a_frame_all_the_same(memory: EpisodicMemory) -> None:
    def put(task: str, folder: str) -> str:
        for place in ("ada/harbour", "installed", "around it", "reproduces it", "done so far"):
            task = task.replace(place, f"{place} in {folder}")
        return task

    await attempt(memory, put(TIDES, "east"), "failure", edited("harbour/tides.py", "x = round(1)"))
    assert "tides.py" not in await told(memory, put(NAMES, "west"))
    assert "tides.py" in await told(memory, put(TIDES, "west"))
