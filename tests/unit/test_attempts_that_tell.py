"""Of many attempts at a task those that tell something are told, however little room there is, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.lines import recall_text, started_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
TASK = "The tide table of the southern ferry prints yesterday's levels after midnight, and `TideTable.day` is asked too early"
CHANGED = "changed ferry/tides.py: - self.day = today() + self.day = today(utc)"


def edited(path: str, old: str, new: str) -> Step:
    return {"tool": "str_replace", "arguments": {"path": path, "old_str": old, "new_str": new}, "observation": "done"}


async def many_silent_attempts_and_one_that_changed_a_file(memory: EpisodicMemory) -> None:
    change = edited("ferry/tides.py", "self.day = today()", "self.day = today(utc)")
    await attempt(memory, TASK, "failure", change, shell("make tables", "exit 2"), shell("make tables", "exit 2"))
    for number in range(4):
        await attempt(memory, TASK, "failure", shell(f"make tables DAY={number}"))


async def test_a_recall_of_one_row_shows_the_attempt_that_tells_something(memory: EpisodicMemory) -> None:
    await many_silent_attempts_and_one_that_changed_a_file(memory)
    found = await memory.recall(TASK, limit=1)
    assert len(found.episodes) == 1
    assert CHANGED in recall_text(answer(found))


async def test_a_start_with_little_room_shows_the_attempt_that_tells_something(memory: EpisodicMemory) -> None:
    await many_silent_attempts_and_one_that_changed_a_file(memory)
    assert CHANGED in started_text(answer(await memory.start_episode(TASK, budget_tokens=400)))


async def test_pages_show_each_attempt_when_the_first_shows_one_that_tells(memory: EpisodicMemory) -> None:
    await many_silent_attempts_and_one_that_changed_a_file(memory)
    seen, cursor = list[str](), None
    while True:
        page = await memory.recall(TASK, limit=2, cursor=cursor)
        seen += [row.episode_id for row in page.episodes]
        if (cursor := page.next_cursor) is None:
            break
    assert len(set(seen)) >= 4


async def test_a_recall_of_a_command_tells_the_run_that_gave_it(memory: EpisodicMemory) -> None:
    await attempt(memory, "Make the frontend deployable", "success", shell("cd web && npm ci"), shell("cd web && npm run build"))
    for task in ("Write the notes of the release", "Weigh the parcels of Monday", "Paint the harbour gate"):
        await attempt(memory, task, "success", shell(f'office do "{task}"'))
    said = recall_text(answer(await memory.recall("npm run build")))
    assert "success at “Make the frontend deployable”" in said
    assert "did `npm ci`; `npm run build`" in said
    assert "did" not in recall_text(answer(await memory.recall("npm run deploy")))


async def test_a_task_in_the_same_words_with_another_number_is_another_case(memory: EpisodicMemory) -> None:
    asked = "Enter the invoice with the number {} into the ledger of the southern ferry, as its harbour office asked on the telephone"
    entered: Step = {"tool": "enter_invoice", "arguments": {"number": "4711", "account": "6300"}, "observation": "done"}
    await attempt(memory, asked.format(4711), "success", entered)
    said = recall_text(answer(await memory.recall(asked.format(4712))))
    assert "% alike" in said
    assert "at this task" not in said
    assert "enter_invoice(number, account)" in said
    assert "enter_invoice number=4711 account=6300" in recall_text(answer(await memory.recall(asked.format(4711))))
