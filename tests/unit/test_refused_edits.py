"""How edits that were refused went through is told when another is refused for the same error, through the facade on real files."""

from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
REFUSED = "Your edit was not applied: "
INDENT, BLOCK, NAME = (f"{REFUSED}{why}" for why in ("unexpected indent", "expected an indented block", "undefined name 'defaultdict'"))
NO_MATCH = "No replacement was performed, old_str did not appear verbatim in the file"


def ranged(path: str, span: str, text: str, error: str | None = None) -> Step:
    """An edit of a range of lines; its answer shows the file."""
    return {
        "tool": "edit",
        "arguments": {"args": span, "text": text},
        "observation": f"{error or ''}[File: {path} (90 lines total)]",
        "error": error,
    }


def replaced(path: str, old: str, new: str, error: str | None = None) -> Step:
    return {
        "tool": "str_replace",
        "arguments": {"path": path, "old_str": old, "new_str": new},
        "observation": error or "done",
        "error": error,
    }


async def advised(memory: EpisodicMemory, *steps: Step, task: str = "The tide table of the southern ferry prints yesterday") -> str:
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


def opened(path: str, first: int, *lines: str) -> Step:
    numbered = "\n".join(f"{first + i}:{line}" for i, line in enumerate(lines))
    return {"tool": "open", "arguments": {"args": path}, "observation": f"[File: {path} (90 lines total)]\n{numbered}\n"}


async def twice(memory: EpisodicMemory, refused: Any, landed: Any) -> None:
    """Two attempts at different tasks whose edit was refused and then landed."""
    for task, path in (("The harbour fee is rounded twice", "/port/fees.py"), ("Moorings are listed by name", "/port/moorings.py")):
        await attempt(memory, task, "success", refused(path), landed(path))


async def test_after_a_refusal_for_its_indentation_it_is_told_how_such_edits_went_through_and_how_it_is_here(
    memory: EpisodicMemory,
) -> None:
    await twice(
        memory,
        lambda path: ranged(path, "12:13", "if fee:\n    total += fee", INDENT),
        lambda path: ranged(path, "12:13", "        if fee:\n            total += fee"),
    )
    shown = opened("/ferry/tides.py", 40, "    day = today()", "    show(day)")
    said = await advised(memory, shown, ranged("/ferry/tides.py", "40:40", "day = tomorrow()", INDENT))
    assert "this difference (2 of 2 times): the same lines indented, e.g. by 8 instead of 0" in said
    assert "; here line 40 is indented by 4, the text by 0 [" in said


async def test_one_edit_that_was_indented_is_enough_where_this_text_does_not_stand_as_its_line_does(memory: EpisodicMemory) -> None:
    refused, landed = (ranged("/port/fees.py", "12:13", text) for text in ("if fee:\n    pay()", "        if fee:\n            pay()"))
    await attempt(memory, "The harbour fee is rounded twice", "success", {**refused, "error": INDENT}, landed)
    shown = opened("/ferry/tides.py", 40, "            day = today()", "            show(day)")
    said = await advised(memory, shown, ranged("/ferry/tides.py", "40:40", "        day = tomorrow()", INDENT))
    assert "the same lines indented, e.g. by 8 instead of 0; here line 40 is indented by 12, the text by 8" in said


async def test_a_text_that_is_indented_as_its_place_is_not_told_to_be_indented(memory: EpisodicMemory) -> None:
    await twice(
        memory,
        lambda path: ranged(path, "12:13", "if fee:\n    total += fee", INDENT),
        lambda path: ranged(path, "12:13", "        if fee:\n            total += fee"),
    )
    shown = opened("/ferry/tides.py", 40, "day = today()", "show(day)")
    said = await advised(memory, shown, ranged("/ferry/tides.py", "40:40", "day = tomorrow(", INDENT))
    assert "the same lines indented" not in said


async def test_after_a_refusal_for_a_block_left_empty_it_is_told_that_more_of_the_lines_were_replaced(memory: EpisodicMemory) -> None:
    await twice(
        memory,
        lambda path: ranged(path, "12:13", "    total += fee", BLOCK),
        lambda path: ranged(path, "11:13", "    if fee > 0:\n        total += fee"),
    )
    said = await advised(memory, ranged("/ferry/tides.py", "40:40", "    show(day)", BLOCK))
    assert "with this difference (2 of 2 times): more of the lines around replaced, e.g. 11:13 instead of 12:13 [" in said


async def test_after_a_refusal_for_an_unknown_name_the_line_that_gave_it_is_told(memory: EpisodicMemory) -> None:
    await twice(
        memory,
        lambda path: ranged(path, "3:3", "fees = defaultdict(int)", NAME),
        lambda path: ranged(path, "3:3", "from collections import defaultdict\nfees = defaultdict(int)"),
    )
    said = await advised(memory, ranged("/ferry/tides.py", "9:9", "tides = defaultdict(list)", NAME))
    assert "a line that gives the name, e.g. `from collections import defaultdict` for defaultdict [" in said


async def test_after_a_text_that_was_not_found_it_is_told_that_it_was_found_indented_otherwise(memory: EpisodicMemory) -> None:
    await twice(
        memory,
        lambda path: replaced(path, "if fee:\n    total += fee", "total += fee", NO_MATCH),
        lambda path: replaced(path, "    if fee:\n        total += fee", "total += fee"),
    )
    said = await advised(memory, replaced("/ferry/tides.py", "for day in days:\n    show(day)", "show(days)", NO_MATCH))
    assert "with this difference (2 of 2 times): the same lines indented, e.g. by 4 instead of 0 [" in said


async def test_an_edit_of_another_file_is_not_told_as_what_answered_a_refusal(memory: EpisodicMemory) -> None:
    steps = (
        ranged("/port/__init__.py", "12:13", "if fee:\n    total += fee", BLOCK),
        ranged("/port/__init__.py", "60:61", "    return total"),
    )
    await attempt(memory, "The harbour fee is rounded twice", "success", *steps)
    shown = opened("/ferry/__init__.py", 40, "    day = today()")
    said = await advised(memory, shown, ranged("/ferry/__init__.py", "40:40", "    show(day)", BLOCK))
    assert "return total" not in said


async def test_a_call_that_failed_three_times_unchanged_is_warned_of(memory: EpisodicMemory) -> None:
    await attempt(memory, "The harbour fee is rounded twice", "success", ranged("/port/fees.py", "1:1", "x"))
    refused = ranged("/ferry/tides.py", "40:40", "    show(day)", BLOCK)
    search = {"tool": "search_dir", "arguments": {"args": "show"}, "observation": "Found 2 matches"}
    assert "Warning" not in await advised(memory, refused, search, refused)
    said = await advised(memory, refused, search, refused, refused)
    assert f"Warning: edit with these arguments failed at steps 0, 2-3 of this episode: `{BLOCK}`; nothing was changed since" in said


async def test_that_a_runs_edits_are_refused_as_those_of_earlier_attempts_were_is_said(memory: EpisodicMemory) -> None:
    task = "The tide table of the southern ferry prints yesterday"
    refused = ranged("/port/tides.py", "12:13", "day = today(utc)", INDENT)
    looked = opened("/port/tides.py", 11, "    def day(self):", "        day = today()")
    for _ in range(2):
        await attempt(memory, task, "failure", looked, refused)
    assert "Made in this run, too: did not succeed at this task (2 of 2 failed attempts found): changed nothing" in await advised(
        memory, looked, refused, task=task
    )
    other, landed = (
        ranged("/port/tides.py", "12:13", "day = today(utc)", BLOCK),
        ranged("/port/tides.py", "12:13", "        day = noon(utc)"),
    )
    for steps in ([other], [refused, landed]):
        told = await advised(memory, looked, *steps, task=task)
        assert "\nDid not succeed at this task (2 of 2 failed attempts found): changed nothing" in told
