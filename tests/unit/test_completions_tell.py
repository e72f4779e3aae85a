"""What a completion tells its agent of earlier attempts at the task, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.outcome_lines import completed_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "The tide table of the southern ferry prints yesterday's levels after midnight, and `TideTable.day` is asked too early"


def edited(path: str, old: str, new: str) -> Step:
    return {"tool": "str_replace", "arguments": {"path": path, "old_str": old, "new_str": new}, "observation": "done"}


async def completed(memory: EpisodicMemory, outcome: str, *steps: Step) -> str:
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return completed_text(answer(await memory.complete_episode(started.episode_id, outcome)))


async def test_an_attempt_that_failed_is_told_what_another_failure_changed_in_the_same_file(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)"))
    said = await completed(memory, "failure", edited("ferry/tides.py", "self.day = today()", "self.day = tomorrow()"))
    assert "Did not succeed at this task (the only failed attempt found): changed ferry/tides.py: - self.day = today()" in said
    assert "today(utc)" in said


async def test_an_attempt_that_changed_nothing_is_told_what_failed_in_the_file_it_looked_at(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)"))
    looked = {"tool": "read_file", "arguments": {"path": "ferry/tides.py"}, "observation": "self.day = today()"}
    assert "Did not succeed at this task (the only failed attempt found): changed ferry/tides.py" in await completed(
        memory, "failure", looked
    )


async def test_failures_that_are_not_told_are_counted_all_the_same(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", {"tool": "read_file", "arguments": {"path": "ferry/readme.txt"}, "observation": "tides"})
    await attempt(memory, TASK, "failure", edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)"))
    said = await completed(memory, "failure", edited("ferry/tides.py", "self.day = today()", "self.day = tomorrow()"))
    assert "Did not succeed at this task (1 of 2 failed attempts found): changed ferry/tides.py" in said


async def test_what_failed_in_another_file_is_not_told(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", edited("ferry/prices.py", "self.day = today()", "self.day = today(utc)"))
    assert await completed(memory, "failure", edited("ferry/tides.py", "self.day = today()", "self.day = now()")) == "Recorded as failure."


async def test_that_a_run_made_the_very_change_that_failed_before_is_said_while_it_runs_and_in_the_end(memory: EpisodicMemory) -> None:
    change = edited("ferry/tides.py", "self.day = today()", "self.day = tomorrow()")
    for _ in range(2):
        await attempt(memory, TASK, "failure", change)
    said = "Made in this run, too: did not succeed at this task (2 of 2 failed attempts found): changed ferry/tides.py"
    assert said in await completed(memory, "failure", change)
    started = await memory.start_episode(TASK, recall=False)
    await memory.log_steps(started.episode_id, steps=[change])
    assert "Made in this run, too: did not succeed" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def test_that_a_run_made_the_very_change_that_worked_before_is_said(memory: EpisodicMemory) -> None:
    change = edited("ferry/tides.py", "self.day = today()", "self.day = tomorrow()")
    await attempt(memory, TASK, "success", change)
    for steps, made in (([change], True), ([edited("ferry/tides.py", "self.day = today()", "self.day = 0")], False)):
        started = await memory.start_episode(TASK, recall=False)
        await memory.log_steps(started.episode_id, steps=steps)
        told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
        assert ("Made in this run, too: worked at this task (the only success found): changed ferry/tides.py" in told) is made


TIDY, REFUSED = shell("tidy tides.csv", "tidy: column harbour is missing in tides.csv"), "say in one sentence"


async def test_a_completion_asks_for_no_lesson_that_an_earlier_attempt_noted(memory: EpisodicMemory) -> None:
    assert REFUSED in await completed(memory, "failure", TIDY)
    await attempt(memory, TASK, "failure", TIDY, lessons=["tidy needs the column harbour, which is missing in tides.csv before the import"])
    assert REFUSED not in await completed(memory, "failure", TIDY)
    other = shell("weigh tides.csv", "weigh: cannot open the archive of last summer")
    assert REFUSED in await completed(memory, "failure", other)


async def test_a_completion_asks_not_what_should_be_tried_where_it_tells_what_worked(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "success", edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)"))
    said = await completed(memory, "failure", TIDY)
    assert "Worked at this task (the only success found): changed ferry/tides.py" in said
    assert REFUSED not in said


async def test_a_completion_asks_not_about_an_error_that_runs_get_past_by_calling_the_same_tool_otherwise(memory: EpisodicMemory) -> None:
    def book(ferry: str, error: str | None = None) -> Step:
        return {"tool": "book_ferry", "arguments": {"ferry": ferry}, "observation": "" if error else "booked", "error": error}

    error = "the name of the ferry lacks its harbour"
    assert REFUSED in await completed(memory, "failure", book("Aurora", error))
    for name in ("Borealis", "Castor", "Draco"):
        await attempt(memory, f"Book a seat on {name}", "success", book(name, error), book(f"{name} (Oslo)"))
    assert REFUSED not in await completed(memory, "failure", book("Aurora", error))


async def test_a_completion_counts_those_that_failed_otherwise_among_all_that_failed(memory: EpisodicMemory) -> None:
    def answered(text: str, verdict: str) -> Step:
        return {"tool": "finish", "arguments": {"answer": text}, "observation": verdict, "error": verdict}

    for text, verdict in (("the moon", "Answer is INCORRECT"), ("the moon", "Answer is INCORRECT"), ("no idea", "the turns are used up")):
        await attempt(memory, TASK, "failure", answered(text, verdict))
    said = await completed(memory, "failure", answered("the tide", "Answer is INCORRECT"))
    assert "(2 of 3 failed attempts found): answered “the moon”" in said


async def test_a_run_that_did_not_succeed_though_no_step_failed_is_asked_what_was_missing(memory: EpisodicMemory) -> None:
    looked = [shell(f"cat tides-{day}.csv") for day in range(3)]
    assert "and no step says what is missing: say that in one sentence" in await completed(memory, "partial", *looked)
    assert "It did not succeed, and no step says why" in await completed(memory, "failure", *looked)
    assert "one sentence" not in await completed(memory, "success", *looked)
    assert "one sentence" not in await completed(memory, "failure", *looked[:1])


async def test_that_a_run_gave_the_very_answer_that_was_wrong_before_is_said(memory: EpisodicMemory) -> None:
    def answered(text: str) -> Step:
        return {"tool": "finish", "arguments": {"answer": text}, "observation": "", "error": "Answer is INCORRECT"}

    await attempt(memory, TASK, "failure", answered("The moon"))
    assert "Made in this run, too: did not succeed" in await completed(memory, "failure", answered("the Moon."))
    assert "Made in this run, too" not in await completed(memory, "failure", answered("the tide"))


async def test_the_first_success_at_a_task_is_asked_what_decided_where_it_did_what_no_failure_had_done(memory: EpisodicMemory) -> None:
    right = edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)")
    for number in range(2):
        await attempt(memory, TASK, "failure", edited("ferry/prices.py", "x = 1", f"x = {number}"))
    said = await completed(memory, "success", right)
    assert "It is the first of the 3 attempts found at this task to succeed, and none of the others changed ferry/tides.py" in said
    assert "say in one sentence what decided, for next time. (complete_episode again" in said
    assert await completed(memory, "success", right) == "Recorded as success.", "it is the second one"


async def test_a_success_that_nobody_failed_before_or_that_did_just_what_failed_is_asked_nothing(memory: EpisodicMemory) -> None:
    right = edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)")
    await attempt(memory, TASK, "failure", right)
    assert await completed(memory, "success", right) == "Recorded as success."


async def test_the_first_success_by_calls_is_asked_about_the_call_that_no_failure_made(memory: EpisodicMemory) -> None:
    await attempt(memory, TASK, "failure", shell("harbourctl check"))
    assert "to succeed" not in await completed(memory, "failure", shell("harbourctl check"))
    said = await completed(memory, "success", shell("harbourctl check"), shell("harbourctl zone --set utc"))
    assert "and none of the others did `harbourctl zone --set utc`" in said
