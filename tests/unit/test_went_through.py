"""What went through where calls of the same program timed out or never worked, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "Serve the notebook of `tides.ipynb` on port 8888 with a password and leave it running"
TIMED_OUT = "command timed out and was killed"
SLOW, SLOWER = shell("pip install notebook numpy", TIMED_OUT), shell("pip install --no-cache-dir notebook", TIMED_OUT)
QUICK = shell("timeout 60 pip install --no-deps notebook || echo failed")


async def advised(memory: EpisodicMemory, *steps: Step) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_a_call_that_never_worked_is_told_with_what_went_through_in_another_attempt(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", SLOW, SLOWER)
    await attempt(memory, TASK, "failure", SLOW, SLOWER, QUICK)
    told = recall_text(answer(await memory.recall(TASK)))
    assert f"never got `pip install --no-cache-dir notebook` to work: {TIMED_OUT}" in told
    assert "; in another attempt `timeout 60 pip install --no-deps notebook` went through" in told


async def test_a_run_that_got_past_what_never_worked_is_not_told_of_it(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", SLOWER)
    assert "never got" in await advised(memory, shell("ls"))
    assert "never got" not in await advised(memory, QUICK)
    assert "never got" in await advised(memory, shell("pip install flask")), "that was something else"


async def test_after_a_time_out_it_is_told_how_often_that_program_timed_out_and_what_went_through(memory: EpisodicMemory) -> None:
    train = [shell(f"python train_{part}.py", TIMED_OUT) for part in ("all", "some")]
    await attempt(memory, TASK, "failure", SLOW, SLOWER, *train)
    assert "timed out in" not in await advised(memory, SLOW), "one attempt may be slow by chance"
    await attempt(memory, TASK, "failure", SLOW, SLOWER, QUICK, *train)
    said = "bash:pip install timed out in 4 calls of 2 of 2 earlier attempts at this task"
    assert f"{said}; there `timeout 60 pip install --no-deps notebook` went through" in await advised(memory, SLOW)
    said = "bash:python3 timed out in 4 calls of 2 of 2 earlier attempts at this task, none of which succeeded"
    assert said in await advised(memory, shell("timeout 600 python3 train_best.py", TIMED_OUT))


async def test_after_a_time_out_of_one_installer_it_is_told_what_another_one_brought(memory: EpisodicMemory) -> None:
    slow = shell("pip install tidecalc", TIMED_OUT)
    await attempt(memory, TASK, "partial", slow, slow, shell("apt-get update && apt-get install -y tidecalc"), shell("cargo add other"))
    await attempt(memory, TASK, "failure", slow)
    said = "bash:pip install timed out in 3 calls of 2 of 2 earlier attempts at this task"
    assert f"{said}; there `apt-get update && apt-get install -y tidecalc` went through" in await advised(memory, slow)
    assert "apt-get" not in await advised(memory, SLOW), "that is about something else"


async def test_attempts_at_a_variant_of_the_task_are_counted_apart(memory: EpisodicMemory) -> None:
    task = f"{TASK}. " + "The plot has a sine wave, axes, a title and a legend, and it is made again when the file of levels changes. " * 6
    for number in range(2):
        await attempt(memory, task, "failure", shell(f"depotctl push --part {number}", "refused"))
        await attempt(
            memory,
            f"{task} First install gcc 13 and rename lib.cpp to lib.c.",
            "failure",
            shell(f"depotctl push --part {number + 7}", "refused"),
        )
    assert "like the other attempt" in recall_text(answer(await memory.recall(task)))
    told = playbook_text(answer(await memory.recommend_playbook(task)))
    assert "(1 of 2 failed attempts found): never got `depotctl push --part" in told


async def test_what_brought_a_missing_module_is_told_though_only_a_log_said_it_was_missing(memory: EpisodicMemory) -> None:
    log = {**shell("cat server.log"), "observation": "Traceback\nModuleNotFoundError: No module named 'tide_server'"}
    brought = shell("timeout 60 pip install --no-deps tide-server || echo failed")
    await attempt(memory, TASK, "failure", log, brought, shell("cat later.log"))
    missing = shell("notebook --generate", "exit 1: ModuleNotFoundError: No module named 'tide_server'")
    said = "`cat server.log` said “ModuleNotFoundError: No module named 'tide_server'” until the run did"
    assert f"{said} `timeout 60 pip install --no-deps tide-server`" in await advised(memory, missing)
    other = shell("notebook --generate", "exit 1: ModuleNotFoundError: No module named 'ebb_server'")
    assert "tide-server" not in await advised(memory, other)
