"""Errors that tell nothing of what is wrong, as games and forms answer: what helps is what a call like this one had instead."""

from collections.abc import Callable
from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
NOTHING = "Nothing happens."
Form = Callable[[str], dict[str, Any]]


def in_words(said: str) -> dict[str, Any]:
    return {"tool": "act", "action": said}


def as_command(said: str) -> dict[str, Any]:
    return {"tool": "env", "arguments": {"command": said}}


def as_arguments(said: str) -> dict[str, Any]:
    verb, thing, number, *_, place, which = said.split()
    return {"tool": verb, "arguments": {"item": f"{thing} {number}", "place": f"{place} {which}"}}


def did(form: Form, said: str, error: str | None = None) -> Step:
    return form(said) | {"observation": "" if error else "Done.", "error": error}


async def advised(memory: EpisodicMemory, task: str, failed: Step) -> str:
    started = await memory.start_episode(task, recall=False)
    await memory.log_step(started.episode_id, **failed)
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id)))


async def with_a_cabinet_and_a_stove(memory: EpisodicMemory, form: Form) -> None:
    opened = did(in_words if form is as_arguments else form, "open the cabinet 1")
    put, heated = "put plate 1 into cabinet 1", "heat egg 2 with {} 1"
    await attempt(memory, "Put a clean plate away", "success", did(form, put, NOTHING), opened, did(form, put))
    tried = did(form, heated.format("stoveburner"), NOTHING)
    await attempt(memory, "Serve a hot egg", "success", tried, opened, did(form, heated.format("microwave")))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (in_words, "act “…microwave…” instead of “…stoveburner…” went through"),
        (as_command, "heat “…microwave…” instead of “…stoveburner…” went through"),
        (as_arguments, "heat place=microwave 1 instead of place=stoveburner 1 went through"),
    ],
)
async def test_after_an_error_that_says_nothing_what_the_same_call_had_instead_of_one_value_is_told(
    memory: EpisodicMemory, form: Form, said: str
) -> None:
    await with_a_cabinet_and_a_stove(memory, form)
    told = await advised(memory, "Serve a hot potato", did(form, "heat potato 1 with stoveburner 1", NOTHING))
    assert said in told
    assert "cabinet" not in told


async def test_what_made_another_call_work_is_not_told_after_an_error_that_says_nothing(memory: EpisodicMemory) -> None:
    await with_a_cabinet_and_a_stove(memory, in_words)
    assert "cabinet" not in await advised(memory, "Light the room", did(in_words, "switch on lamp 3", NOTHING))
    assert "open the cabinet 1" in await advised(memory, "Put the mug away", did(in_words, "put mug 1 into cabinet 1", NOTHING))


async def test_a_call_that_failed_and_one_with_another_value_that_worked_are_told_side_by_side(memory: EpisodicMemory) -> None:
    await with_a_cabinet_and_a_stove(memory, in_words)
    said = f"act “heat egg 2 with stoveburner 1” failed with “{NOTHING}”, act “heat egg 2 with microwave 1” worked"
    assert said in recall_text(answer(await memory.recall("Serve a hot egg")))


async def test_another_thing_done_is_no_other_value_of_a_call(memory: EpisodicMemory) -> None:
    install, other = (did(as_command, f"pip install {name}", error) for name, error in (("left_pad", "Refused."), ("right_pad", None)))
    await attempt(memory, "Install the padding", "success", install, other)
    assert "right_pad" not in await advised(memory, "Draw the chart of sales", install)


async def test_a_value_in_another_form_is_told_to_who_gives_one_in_the_form_that_failed(memory: EpisodicMemory) -> None:
    refused = "Error: the field must be a date, month first"

    def typed(text: str, error: str | None = None) -> Step:
        return {"tool": "type", "arguments": {"id": "from", "text": text}, "error": error}

    clicked = {"tool": "click", "arguments": {"id": "[157]"}}
    await attempt(memory, "Which bag sold best in 2022?", "success", typed("2022-01-31", refused), typed("01/31/2022"), clicked)
    told = await advised(memory, "Which hat sold best in May 2023?", typed("2023-05-01", refused))
    assert "type text=01/31/2022 instead of text=2022-01-31 went through" in told
    assert "text=01/31/2022" not in await advised(memory, "Who came?", typed("tomorrow", refused))


async def test_that_a_verb_was_called_is_not_told_without_one_of_its_values(memory: EpisodicMemory) -> None:
    clicked = {"tool": "click", "arguments": {"id": "[157]"}, "observation": "Reports"}
    await attempt(
        memory,
        "Send the report on the bestsellers in the big shop",
        "success",
        clicked,
        {"tool": "send_report", "arguments": {"number": 4711}},
    )
    told = recall_text(answer(await memory.recall("Send the report on the bestsellers in the small shop")))
    assert "send_report(number)" in told
    assert "click" not in told


async def test_what_is_not_understood_is_answered_by_what_a_call_of_its_kind_had_instead(memory: EpisodicMemory) -> None:
    no_match = "No known action matches that input."
    taken = (did(in_words, "take metal pot", no_match), did(in_words, "pick up metal pot"))
    filled = (did(in_words, "fill metal pot with water", no_match), did(in_words, "move metal pot to sink"))
    await attempt(memory, "Boil the water", "success", *taken, *filled, did(in_words, "activate stove"))
    told = await advised(memory, "Weigh the apples", did(in_words, "take glass cup", no_match))
    assert "“…pick up…” instead of “…take…” went through" in told
    assert "sink" not in told
