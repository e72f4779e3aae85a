"""Agents that work on pages and screens: told is what an element says, not the number under which it was shown once."""

from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
ADDRESS = "Change the delivery address of my latest order to {0}"
DISABLED = "Error: the button is disabled: choose a role first"


def step(tool: str, observation: str = "", error: str | None = None, **arguments: Any) -> Step:
    return {"tool": tool, "arguments": arguments, "observation": observation, "error": error}


def moved(address: str, first: int) -> tuple[Step, ...]:
    """Return a run on pages whose elements are numbered from *first* on."""
    account = f"Page: My account\n[{first}] link 'My orders'\n[{first + 1}] link 'Contact us'"
    return (
        step("goto", account, url="http://shop.test/account"),
        step("click", f"Page: Orders\n[{first + 20}] link 'Edit delivery address'", id=str(first)),
        step("click", f"Page: Edit\n[{first + 30}] textbox 'Street'\n[{first + 31}] button 'Save address'", id=str(first + 20)),
        step("type", f"[{first + 31}] button 'Save address'", id=str(first + 30), text=address),
        step("click", "You saved the address.", id=str(first + 31)),
    )


async def test_at_the_same_task_elements_are_told_by_what_they_say(memory: EpisodicMemory) -> None:
    await attempt(memory, ADDRESS.format("3 Oxford Street"), "success", *moved("3 Oxford Street", 12))
    told = recall_text(answer(await memory.recall(ADDRESS.format("3 Oxford Street"))))
    assert "click “link 'My orders'”; click “link 'Edit delivery address'”" in told
    assert "goto “http://shop.test/account”" in told  # where pages are worked on, the address that was opened is part of the way
    assert "“12”" not in told


async def test_at_another_case_what_the_page_says_is_told_and_not_what_was_typed(memory: EpisodicMemory) -> None:
    await attempt(memory, ADDRESS.format("3 Oxford Street"), "success", *moved("3 Oxford Street", 12))
    await attempt(memory, ADDRESS.format("77 Bell Road"), "success", *moved("77 Bell Road", 512))
    told = recall_text(answer(await memory.recall(ADDRESS.format("9 Quay Lane"))))
    assert "click “button 'Save address'”" in told
    assert "Oxford" not in told.partition(": did ")[2]
    steps = playbook_text(answer(await memory.recommend_playbook(ADDRESS.format("9 Quay Lane"))))
    assert "click link 'My orders': in 2 of 2 successful attempts" in steps


@pytest.mark.parametrize(
    ("page", "call", "said"),
    [
        ('- button "Invite" [ref=e9] [cursor=pointer]', step("browser_click", ref="e9"), "browser_click “button 'Invite'”"),
        ("nothing of it", step("browser_click", ref="e9", element="Invite button"), "browser_click “Invite button”"),
        ('uid=1_9 button "Invite"', step("click", uid="1_9"), "click “button 'Invite'”"),
        ("[9]<button>Invite</button>", step("click_element_by_index", index=9), "click_element_by_index “button 'Invite'”"),
        ('UI element 9: (text="Invite")', step("tap", index=9), "tap “'Invite'”"),
        ("[a9] button 'Invite'", step("browser", action="click('a9')"), "browser “click('button 'Invite'')”"),
        ("[9] link 'Invite'", {"tool": "act", "action": "click [9]"}, "act “click [link 'Invite']”"),
    ],
)
async def test_elements_are_read_as_the_usual_tools_show_them(memory: EpisodicMemory, page: str, call: Step, said: str) -> None:
    await attempt(memory, "Invite the auditors to the ledger", "success", step("snapshot", page), call)
    told = recall_text(answer(await memory.recall("Invite the auditors to the ledger")))
    assert said in told


async def test_numbers_of_things_that_are_on_no_page_stay_as_they_are(memory: EpisodicMemory) -> None:
    await attempt(memory, "Close ticket 12 of Mira", "success", step("list", "[12] Printer is broken"), step("close_ticket", id="12"))
    assert "close_ticket “12”" in recall_text(answer(await memory.recall("Close ticket 12 of Mira")))


def invited(who: str, first: int, *, failed: bool = True) -> tuple[Step, ...]:
    form = f'- textbox "E-mail" [ref=e{first}]\n- button "Send" [ref=e{first + 1}]'
    send = step("browser_click", "Invitation sent", ref=f"e{first + 1}")
    refused = (step("browser_click", "", DISABLED, ref=f"e{first + 1}"),) if failed else ()
    return (
        step("browser_navigate", form, url="http://admin.test/members"),
        *refused,
        step("browser_select_option", form, element="Role select", ref=f"e{first + 2}", values=["Viewer"]),
        step("browser_type", form, ref=f"e{first}", text=f"{who.lower()}@corp.test"),
        send,
    )


async def test_of_several_calls_before_a_refused_one_worked_none_is_left_out_and_no_value_of_another_case_told(
    memory: EpisodicMemory,
) -> None:
    await attempt(memory, "Invite Ana to the workspace in the admin console", "success", *invited("Ana", 3))
    told = recall_text(answer(await memory.recall("Invite Carla to the workspace in the admin console")))
    after = "worked after browser_select_option(element=Role select, values), browser_type(ref=textbox 'E-mail', text)"
    assert f"browser_click(ref=button 'Send') failed with “{DISABLED}” and {after}" in told
    assert "ana@corp.test" not in told


async def test_the_same_button_under_another_number_is_the_same_call_after_an_error(memory: EpisodicMemory) -> None:
    for who, first in (("Ana", 3), ("Bob", 70)):
        await attempt(memory, f"Invite {who} to the workspace in the admin console", "success", *invited(who, first))
    started = await memory.start_episode("Add our auditor to the books", recall=False)
    for call in invited("Carla", 240)[:2]:
        await memory.log_step(started.episode_id, **call)
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "After this very error" in told
    assert "made the call work" in told


async def test_what_was_typed_and_what_has_a_number_in_it_is_told_of_no_other_case_by_agents_that_log_words(memory: EpisodicMemory) -> None:
    for item, size in (("a red lamp", "40 cm"), ("a blue lamp", "60 cm")):
        said = (f"search[{item}]", "click[Filters]", f"click[{size}]", "click[Buy Now]")
        await attempt(memory, f"Buy {item} of {size}", "success", *({"tool": "act", "action": text, "observation": "ok"} for text in said))
    told = recall_text(answer(await memory.recall("Buy a green lamp of 80 cm")))
    assert "act “click[Filters]”; act “click[Buy Now]”" in told
    assert "did act “search" not in told
    assert "click[40 cm]" not in told


async def test_an_error_about_another_thing_is_answered_by_the_call_that_ended_what_both_errors_name(memory: EpisodicMemory) -> None:
    refused = "PermissionError: {0} cannot be turned on in low battery mode"
    wifi = step("set_wifi", "", refused.format("Wifi"), on=True)
    await attempt(memory, "Turn on the wifi", "success", wifi, step("set_low_battery_mode", on=False), step("set_wifi", on=True))
    started = await memory.start_episode("Let me use the phone abroad", recall=False)
    await memory.log_step(started.episode_id, **step("set_mobile_data", "", refused.format("Mobile data"), on=True))
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "set_low_battery_mode(on=False) made the call work" in told
