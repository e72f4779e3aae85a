"""Agents whose tool runs code, as a notebook's cells or `execute(code)`: told are the functions they call, not their lines or values."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
REFUSED = "Response status code is 401: your access token is missing or invalid"
LOGIN = "p = apis.vault.show_passwords()\ntoken = apis.{0}.login(user='ann@acme.io', password=p[0]['password'])\n"


def cell(code: str, error: str | None = None) -> Step:
    return {"tool": "execute", "arguments": {"code": code}, "observation": "" if error else "[…]", "error": error}


async def made_to_work(memory: EpisodicMemory, task: str, app: str, call: str) -> None:
    """Record a run whose call was refused, and worked once it had looked up the password and logged in."""
    again = LOGIN.format(app) + f"print(apis.{app}.{call}(token=token))"
    await attempt(memory, task, "success", cell(f"print(apis.{app}.{call}())", REFUSED), cell(again))


async def test_what_was_called_before_a_refused_call_worked_is_told_when_the_same_error_comes(memory: EpisodicMemory) -> None:
    await made_to_work(memory, "Play my latest list", "music", "show_lists")
    started = await memory.start_episode("Which friends owe me money?", recall=False)
    await memory.log_step(started.episode_id, **cell("print(apis.bank.show_debts())", REFUSED))
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    after = "after `apis.vault.show_passwords()`, `apis.music.login(user, password)`, went through"
    assert f"`apis.music.show_lists` with token=, {after}" in told
    assert "ann@acme.io" not in told


async def test_how_a_call_in_code_was_made_to_work_is_told_with_the_task(memory: EpisodicMemory) -> None:
    await made_to_work(memory, "Play my latest list of songs", "music", "show_lists")
    told = recall_text(answer(await memory.recall("Play my latest list of songs")))
    said = f"`apis.music.show_lists()` failed with “{REFUSED}” and worked after `apis.vault.show_passwords()`"
    assert f"{said}, `apis.music.login(user, password)`, with token=" in told


async def test_a_setting_that_made_a_call_in_code_work_is_told_with_its_value(memory: EpisodicMemory) -> None:
    undecoded = "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xf6 in position 11"
    read = "import pandas as pd\ndf = pd.read_csv('{}'{})\ndf.head()"
    worked = cell(read.format("march.csv", ", encoding='latin-1'"))
    await attempt(memory, "Chart the sales of March", "success", cell(read.format("march.csv", ""), undecoded), worked)
    started = await memory.start_episode("Which supplier was late most often?", recall=False)
    await memory.log_step(started.episode_id, **cell(read.format("late.csv", ""), undecoded))
    told = next_step_text(answer(await memory.suggest_next_step(started.episode_id)))
    assert "`pd.read_csv` with encoding='latin-1' went through" in told


async def test_of_the_code_at_a_task_like_it_the_functions_are_told_and_none_of_their_values(memory: EpisodicMemory) -> None:
    sent = cell("for friend in friends:\n    apis.bank.send_money(to=friend.mail, amount=4711)")
    await attempt(memory, "Send the money for the groceries to my friend in Oslo", "success", cell("friends = apis.phone.contacts()"), sent)
    told = recall_text(answer(await memory.recall("Send the money for the groceries to my friend in Rome")))
    assert "`apis.bank.send_money(to, amount)`" in told
    assert "4711" not in told


async def test_what_is_no_python_is_not_taken_for_calls(memory: EpisodicMemory) -> None:
    query = {"tool": "execute", "arguments": {"code": "select bank.pay(1) from"}, "error": "syntax error"}
    await attempt(memory, "Count the payments of May", "success", query, query | {"error": None})
    assert "bank.pay" not in recall_text(answer(await memory.recall("Count the payments of June")))


async def test_a_call_that_stood_inside_the_one_that_failed_is_not_told_as_what_failed(memory: EpisodicMemory) -> None:
    failed = cell("Model().fit(table.drop('churn'))", "ValueError: could not convert string to float: ' '")
    worked = cell("table['fee'] = pd.to_numeric(table.fee, errors='coerce')\nscore(Model(), table.drop('churn'))")
    await attempt(memory, "Predict the churn of the harbour", "success", failed, worked)
    assert "`table.drop" not in recall_text(answer(await memory.recall("Predict the churn of the harbour")))
