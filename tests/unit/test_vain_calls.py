"""A call that failed in every earlier run at this task is said to, when it has just failed once more, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "Write a command line tool that runs the model in model.pth"
TIMED_OUT = "Command timed out after 60 s"


async def advised(memory: EpisodicMemory, *steps: Step) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_a_call_that_never_worked_in_several_runs_at_the_task_is_warned_of(memory: EpisodicMemory) -> None:
    install = shell("pip3 install torch", TIMED_OUT)
    await attempt(memory, TASK, "failure", shell("ls"), install, shell("gcc -o cli cli.c"))
    assert "failed in" not in await advised(memory, install), "once may be chance"
    await attempt(memory, TASK, "success", install, shell("python3 read_zip.py"))
    told = await advised(memory, install)
    assert f"bash:pip3 install with these arguments failed in 2 of 2 earlier tries at this task: `{TIMED_OUT}`" in told
    await attempt(memory, TASK, "success", shell("pip3 install torch"))
    assert "failed in" not in await advised(memory, install), "it can work"


async def test_an_error_that_those_who_succeeded_met_as_well_is_the_tasks_own_and_not_warned_of(memory: EpisodicMemory) -> None:
    tried = shell("python3 -c 'import model'", "TypeError: model() takes no arguments")
    for outcome in ("failure", "success", "failure"):
        await attempt(memory, TASK, outcome, tried, shell("sed -i s/model/net/ net.py"))
    assert "failed in" not in await advised(memory, tried)


@pytest.mark.parametrize("command", ["pytest -q", "python3 repro.py"])
async def test_tests_and_own_scripts_that_fail_until_the_work_is_done_are_not_warned_of(memory: EpisodicMemory, command: str) -> None:
    script = {"tool": "create_file", "arguments": {"path": "repro.py", "text": "import model"}, "observation": "created"}
    for _ in range(3):
        await attempt(memory, TASK, "failure", script, shell(command, "AssertionError: 1 != 2"))
    assert "earlier tries" not in await advised(memory, script, shell(command, "AssertionError: 1 != 2"))
