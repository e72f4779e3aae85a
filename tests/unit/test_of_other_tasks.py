"""What was written into the files of other tasks is told by no door, and what worked after the very call is told with it; on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio


def edit(text: str) -> Step:
    return {"tool": "edit", "arguments": {"args": "12:13", "text": text}, "observation": "[File: /shop/cart.py (90 lines total)]"}


def search(query: str, error: str | None = None) -> Step:
    return {"tool": "search", "arguments": {"query": query}, "observation": error or f"{query} is a page", "error": error}


async def test_a_playbook_has_no_step_that_writes_what_another_task_wrote(memory: EpisodicMemory) -> None:
    for what in ("fee", "toll", "tax"):
        await attempt(
            memory, f"The {what} of the harbour cart is rounded twice in the printed total", "success", search(what), edit(f"{what} = 2")
        )
        await attempt(memory, f"The {what} of the harbour cart is rounded twice in the mailed total", "failure", search(what))
    told = await memory.recommend_playbook("The rent of the harbour cart is rounded twice in the shown total")
    assert "edit args" not in playbook_text(answer(told))


async def test_where_the_very_call_failed_before_it_is_told_what_worked_and_not_the_kind_of_change_alone(memory: EpisodicMemory) -> None:
    def lost(query: str) -> Step:
        return search(query, f"Could not find [{query}]. Similar: ['{query} (ship)', '{query} (island)']")

    for name in ("Aurora", "Borealis", "Castor"):
        await attempt(memory, f"In which year was the vessel {name} built?", "success", lost(name), search(f"{name} (ship)"))
    started = await memory.start_episode("Who owned the vessel Castor in its last year at sea?", recall=False)
    await memory.log_steps(started.episode_id, steps=[lost("Castor")])
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "After this very error search query=Castor (ship) instead of query=Castor went through" in told
    other = await memory.start_episode("Who owned the vessel Draco in its last year at sea?", recall=False)
    await memory.log_steps(other.episode_id, steps=[lost("Draco")])
    assert "give `query` a value that the error names" in next_step_text(answer(await memory.suggest_next_step(other.episode_id)))


@pytest.mark.parametrize(("then", "is_told"), [("lighthouse", False), ("tidal wall", True)])
async def test_of_looks_only_one_for_the_same_thing_is_told_as_what_went_through(memory: EpisodicMemory, then: str, is_told: bool) -> None:
    nothing = search("tidal wall north", "No matches found")
    await attempt(
        memory, "In which year was the tidal wall of the northern harbour raised?", "success", nothing, search(then), search("harbour")
    )
    started = await memory.start_episode("Who raised the tidal wall of the northern harbour?", recall=False)
    await memory.log_steps(started.episode_id, steps=[nothing])
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert (f"search query={then} instead of query=tidal wall north went through" in told) is is_told


@pytest.mark.parametrize(("again", "is_told"), [("serve --port 80", False), ("solve maze.txt", True)])
async def test_what_made_another_command_end_in_time_is_not_told_to_one_that_timed_out(
    memory: EpisodicMemory, again: str, is_told: bool
) -> None:
    slow = "command timed out and was killed"
    await attempt(memory, "Find the way out of the maze", "success", shell("solve maze.txt", slow), shell("solve maze.txt 2"), shell("ls"))
    started = await memory.start_episode("Serve the tide tables on port 80", recall=False)
    await memory.log_steps(started.episode_id, steps=[shell(again, slow)])
    assert ("solve maze.txt 2" in next_step_text(answer(await memory.suggest_next_step(started.episode_id)))) is is_told


async def test_a_number_that_names_another_case_is_not_told_however_small_it_is(memory: EpisodicMemory) -> None:
    for number in (61, 62):
        approved = {"tool": "submit_review", "arguments": {"pr": number, "verdict": "approve"}, "observation": ""}
        await attempt(memory, f"Review the pull request {number} of the ledger", "success", approved)
    told = next_step_text(answer(await memory.recommend_playbook("Review the pull request 77 of the ledger")))
    assert "(2 of 2 successes found): did submit_review(pr, verdict=approve)" in told


async def test_what_is_created_with_a_time_or_an_address_in_it_is_no_edit_of_a_file(memory: EpisodicMemory) -> None:
    event = {"tool": "create_event", "arguments": {"title": "Budget", "start": "10:30", "guest": "ann@acme.test"}, "observation": "ok"}
    await attempt(memory, "Put the budget talk with Ann into the calendar", "success", event)
    told = next_step_text(answer(await memory.recommend_playbook("Put the budget talk with Ann into the calendar")))
    assert "create_event title=Budget start=10:30 guest=ann@acme.test" in told


async def test_of_several_calls_that_a_refused_one_needed_none_is_left_out(memory: EpisodicMemory) -> None:
    def step(tool: str, error: str | None = None, **arguments: str) -> Step:
        return {"tool": tool, "arguments": {"repo": "shop", **arguments}, "observation": "", "error": error}

    refused = "422 Validation Failed: field head is invalid"
    done = (step("create_branch", name="fix-41"), step("push_files", branch="fix-41", message="Fix"))
    opened = step("open_request", head="fix-41")
    await attempt(memory, "Offer the repair of the cart", "success", step("open_request", refused, head="fix-41"), *done, opened)
    started = await memory.start_episode("Offer the new colours of the shop", recall=False)
    await memory.log_step(started.episode_id, **step("open_request", refused, head="colours"))
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "After this very error create_branch(repo=shop, name), push_files(repo=shop, branch, message) made the call work" in told


async def test_a_value_that_the_error_names_is_no_advice_where_it_names_none_like_the_one_given(memory: EpisodicMemory) -> None:
    def lost(query: str, *named: str) -> Step:
        return search(query, f"Could not find [{query}]. Similar: {list(named)}")

    for name in ("Aurora", "Borealis", "Castor", "Draco"):
        both = (lost(name, f"{name} (ship)", f"{name} (island)"), search(f"{name} (ship)"))
        await attempt(memory, f"In which year was the vessel {name} built?", "success", *both)
    said = []
    for query, named in (("Electra", "Electra (ship)"), ("Elektra", "Rotterdam"), ("Elektra", "The harbour of Elektra")):
        started = await memory.start_episode("Which flag flew on the oldest of the steamers?", recall=False)
        await memory.log_steps(started.episode_id, steps=[lost(query, named)])
        said.append("a value that the error names" in next_step_text(answer(await memory.suggest_next_step(started.episode_id))))
    assert said == [True, False, True]
