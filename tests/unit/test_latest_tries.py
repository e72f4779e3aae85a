"""What answered an error once and no longer does is told by no door, and what got the very call past its error is; on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
CUT_OFF = "ConnectionResetError: upload to depot was cut off"


PUSH, CUT = shell("depotctl push --all"), shell("depotctl push --all", CUT_OFF)


async def all_doors(memory: EpisodicMemory, failed: Step) -> list[str]:
    """Return what a recall by the error says, and the advice after the failed step."""
    started = await memory.start_episode("Publish the catalogue of the outer islands", recall=False)
    await memory.log_steps(started.episode_id, steps=[failed])
    found, advice = await memory.recall(str(failed["error"])), await memory.suggest_next_step(started.episode_id)
    return [recall_text(answer(found)), next_step_text(answer(advice))]


@pytest.mark.parametrize("found_another", [True, False])
async def test_a_fix_that_failed_in_the_newest_tries_is_told_by_no_door(memory: EpisodicMemory, *, found_another: bool) -> None:
    for place in ("north", "south", "east", "west"):
        await attempt(memory, f"Publish the {place} catalogue", "success", CUT, shell("flushcache --depot"), PUSH)
    others = (shell("rotatekey --depot"), PUSH) if found_another else ()
    for place in ("upper", "lower"):
        outcome = "success" if found_another else "failure"
        await attempt(memory, f"Publish the {place} catalogue", outcome, CUT, shell("flushcache --depot"), CUT, *others)
    for text in await all_doors(memory, CUT):
        assert "after `flushcache" not in text
        assert "bash:flushcache" not in text
        assert "`flushcache --depot` made" not in text
        assert ("`rotatekey --depot`" in text) is found_another


async def test_what_the_very_call_had_instead_where_it_then_went_through_is_told_first(memory: EpisodicMemory) -> None:
    def edit(text: str, error: str | None = None) -> Step:
        return {"tool": "edit", "arguments": {"place": "1:1", "text": text}, "observation": "", "error": error}

    undefined = "Your proposed edit has introduced new syntax error(s): F821 undefined name 'Island'"
    text = 'import ferry\n\nhome: Island\n\n\nclass Boat:\n    "boat"'
    put_right = edit(text.replace("home", "class Island: ...\nhome"))
    await attempt(memory, "Document the ferry", "failure", edit(text, undefined), put_right, shell("pytest"))
    for n in range(6):
        other = f"F821 undefined name 'Harbour{n}'"
        steps = [edit(f"wharf{n}: Harbour{n}\nx = 1", undefined.partition("F821")[0] + other), edit(f"wharf{n}: str\nx = 1")]
        await attempt(memory, f"Name the harbour number {n}", "success", *steps)
    _, advice = await all_doors(memory, edit(text, undefined))
    assert "After this very error edit text with “class Island: ...” instead of text without it went through" in advice


async def test_of_an_unlike_task_that_met_the_quoted_error_only_what_came_of_the_error_is_told(memory: EpisodicMemory) -> None:
    await attempt(memory, "Paint the garden shed", "success", shell("brushctl --colour green"), CUT, shell("rotatekey --depot"), PUSH)
    text = recall_text(answer(await memory.recall(CUT_OFF)))
    assert f"`depotctl push --all` failed with “{CUT_OFF}” and worked after `rotatekey --depot`" in text
    assert "brushctl" not in text


async def test_an_edit_that_went_through_with_other_blanks_says_how_it_was_indented(memory: EpisodicMemory) -> None:
    def edit(text: str, error: str | None = None) -> Step:
        return {"tool": "edit", "arguments": {"place": "7:7", "text": text}, "observation": "", "error": error}

    refused = edit("self.validate(name.rstrip(sep))", "E999 IndentationError: expected an indented block")
    await attempt(memory, "Strip the separator", "success", refused, edit(" " * 12 + "self.validate(name.rstrip(sep))"), shell("pytest"))
    _, advice = await all_doors(memory, refused)
    assert "edit text indented by 12 instead of text indented by 0 went through" in advice
