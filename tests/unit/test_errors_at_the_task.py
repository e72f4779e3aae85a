"""What got an attempt at this very task past an error is told to a run that meets it, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "`Config.load` of the ferry reads text files alone, so that toml files cannot be loaded by `load` with `tomllib.load` as given"
MISSING = "FileNotFoundError: Unable to load configuration file: 'ferry.toml'"
BINARY = "TypeError: File must be opened in binary mode, e.g. use `open('foo.toml', 'rb')`"
RUN = "python reproduce_issue.py"
WRITTEN: Step = {
    "tool": "str_replace",
    "arguments": {"path": "conf/ferry.toml", "old_str": "[empty]", "new_str": "[database]"},
    "observation": "done",
}
OPENED: Step = {
    "tool": "str_replace",
    "arguments": {"path": "reproduce_issue.py", "old_str": "load('ferry.toml')", "new_str": "load('ferry.toml', mode='rb')"},
    "observation": "done",
}


async def advised(memory: EpisodicMemory, error: str) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=[shell(RUN, error)])
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_what_a_script_to_try_something_out_was_mended_with_is_told_at_the_very_task(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", shell(RUN, BINARY), OPENED, shell(RUN))
    assert (
        "After this very error str_replace reproduce_issue.py: - load('ferry.toml') + load('ferry.toml', mode='rb') made the call work"
        in await advised(memory, BINARY)
    )


async def test_of_two_errors_after_each_other_each_is_told_with_what_was_done_before_the_next(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", shell(RUN, MISSING), WRITTEN, shell(RUN, BINARY), OPENED, shell(RUN))
    said = await advised(memory, MISSING)
    assert "After this very error str_replace conf/ferry.toml: - [empty] + [database] got the call past it" in said
    assert "mode='rb'" not in said
    assert (
        "After this very error str_replace reproduce_issue.py: - load('ferry.toml') + load('ferry.toml', mode='rb') made the call work"
        in await advised(memory, BINARY)
    )


async def test_an_error_of_what_a_run_had_brought_in_itself_is_told_to_who_meets_it_alone(memory: EpisodicMemory) -> None:
    def edit(old: str, new: str) -> Step:
        return {"tool": "str_replace", "arguments": {"path": "ui/list.tsx", "old_str": old, "new_str": new}, "observation": "done"}

    unknown = "ui/list.tsx(41,12): error TS2304: Cannot find name 'parseISO'."
    first, then = edit("format(new Date(row.date))", "format(parseISO(row.date))"), edit("import { format }", "import { format, parseISO }")
    await attempt(memory, TASK, "success", first, shell("npx tsc --noEmit", unknown), then, shell("npx tsc --noEmit"))
    assert "failed with" not in recall_text(answer(await memory.recall(TASK)))
    assert "Cannot find name 'parseISO'.” and worked after" in recall_text(answer(await memory.recall(unknown)))
