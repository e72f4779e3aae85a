"""What attempts at a task did is told on every door, in sentences that are true: asked through the facade on real files."""

from collections.abc import Sequence

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text, playbook_text
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.outcome_lines import completed_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt, shell

pytestmark = pytest.mark.anyio
SERVE = "Write `text_server.py`, serve it on port 5000 and leave it running"
TIMED_OUT = "command timed out after 60 seconds"


async def doors(memory: EpisodicMemory, task: str, steps: Sequence[Step] = ()) -> list[str]:
    """Return what the playbook and the advice on the next step say."""
    started = await memory.start_episode(task, recall=False)
    if steps:
        await memory.log_steps(started.episode_id, steps=list(steps))
    advice, book = await memory.suggest_next_step(started.episode_id), await memory.recommend_playbook(task)
    return [next_step_text(answer(advice)), playbook_text(answer(book))]


async def test_what_a_failed_attempt_never_got_to_work_is_told_before_the_next_step_too(memory: EpisodicMemory) -> None:
    await attempt(memory, SERVE, "failure", shell("pip install textserver", TIMED_OUT))
    for text in await doors(memory, SERVE, [shell("ls")]):
        assert (
            f"Did not succeed at this task (the only failed attempt found): never got `pip install textserver` to work: {TIMED_OUT}" in text
        )


async def test_that_attempts_left_nothing_is_told_on_every_door_of_one_alone_only_to_who_begins(memory: EpisodicMemory) -> None:
    task = "The voucher is not taken off `Cart.total` of a cart with one item"
    opened = {"tool": "open", "arguments": {"path": "shop/cart.py"}, "observation": "def total(items): ..."}
    await attempt(memory, task, "failure", opened, {"tool": "submit"})
    advice, book = await doors(memory, task, [opened])
    assert "changed nothing" not in advice
    assert "Did not succeed at this task (the only failed attempt found): changed nothing; had read shop/cart.py" in book
    await attempt(memory, task, "failure", {**opened, "arguments": {"path": "tests/test_cart.py"}}, {"tool": "submit"})
    began = recall_text(answer(await memory.recall(task)))
    assert "like the other attempt" in began
    assert began.count("this and 1 other changed nothing; one had read shop/cart.py") == 1
    found = await doors(memory, task, [opened])
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, steps=[opened])
    ended = completed_text(answer(await memory.complete_episode(started.episode_id, "failure")))
    for text in (*found, ended):
        assert "(2 of 2 failed attempts found): changed nothing; one had read shop/cart.py" in text


async def test_failures_at_the_task_are_counted_whether_they_are_told_or_not(memory: EpisodicMemory) -> None:
    task = "Which ocean does the river `Lena` flow into?"
    for said in ("Kara", "Arctic", "Kara", "Pacific", "Arctic"):
        await attempt(memory, task, "failure", {"tool": "finish", "arguments": {"answer": said}, "error": "Answer is INCORRECT"})
    found = recall_text(answer(await memory.recall(task, limit=2)))
    assert "failure at this task, like all 5 attempts" in found


async def test_a_question_that_has_one_answer_whoever_asks_is_told_what_was_wrong(memory: EpisodicMemory) -> None:
    task = "what was the dance called that came before the waltz in the villages?"
    for _ in range(3):
        await attempt(memory, task, "failure", {"tool": "finish", "arguments": {"answer": "polka"}, "error": "Answer is INCORRECT"})
    for text in await doors(memory, task):
        assert "Did not succeed at this task (3 of 3 failed attempts found): answered “polka”" in text


async def test_what_successes_for_other_customers_called_is_told_as_of_tasks_like_this(memory: EpisodicMemory) -> None:
    asked = "Hi, I would like to complain about my delayed flight, please"
    for user, outcome in (("mia_li_3668", "success"), ("noah_muller_9847", "success"), ("omar_rossi_1241", "failure")):
        look = {"tool": "get_user", "arguments": {"user_id": user}, "observation": f"{user} is a gold member"}
        send = {"tool": "send_certificate", "arguments": {"user_id": user, "amount": 50}, "observation": "sent"}
        await attempt(memory, asked, outcome, *([look, send] if outcome == "success" else [look]))
    for text in await doors(memory, asked):
        assert "Worked at a" not in text
        assert "Worked at tasks like this (2 of 2 successes found): did send_certificate(user_id, amount=50)" in text


async def test_that_nobody_has_managed_the_task_is_told_beside_the_steps_of_others(memory: EpisodicMemory) -> None:
    for port in (7001, 7002, 7003):
        task = f"Write `json_server.py`, serve it on port {port} in the background and check that it answers"
        await attempt(memory, task, "success", shell("pip install flask"), shell(f"gunicorn --bind :{port} json_server"))
    for _ in range(3):
        await attempt(memory, SERVE, "failure", shell("pip install textserver", TIMED_OUT))
    book = (await memory.recommend_playbook(SERVE)).playbook
    assert book is not None
    assert book.pitfalls[0] == "None of the 3 attempts found at this very task succeeded."


async def test_start_recall_and_the_prompt_of_a_hook_lead_with_the_same_attempt_however_small_the_budget(memory: EpisodicMemory) -> None:
    task = "Publish the spring catalogue of the northern depot" + ", with prices, pictures and the seasonal index" * 5
    await attempt(memory, f"{task} soon", "failure", shell("depotctl push --season spring", TIMED_OUT))
    looked = [shell(f"grep -rn 'catalogue' depot/part{n}.txt && cat depot/part{n}.txt # {'of the depot ' * 20}") for n in range(6)]
    for _ in range(3):
        await attempt(memory, task, "partial", *looked)
    lines = [
        [line for line in recall_text(answer(recalled)).splitlines() if line.startswith("1. ")]
        for recalled in (
            await memory.recall(task),
            (await memory.start_episode(task)).recalled,
            (await memory.prepare_episode(task)).recalled,
        )
    ]
    assert "never got `depotctl push --season spring` to work" in lines[0][0]
    assert lines[0] == lines[1] == lines[2]


async def test_a_failure_that_others_met_is_answered_with_what_they_tried_and_what_worked(memory: EpisodicMemory) -> None:
    async def failed_once_more() -> str:
        started = await memory.start_episode(SERVE, recall=False)
        await memory.log_steps(started.episode_id, steps=[shell("pip install textserver", TIMED_OUT)])
        text = completed_text(answer(await memory.complete_episode(started.episode_id, "failure")))
        await memory.settle()
        return text

    await attempt(memory, SERVE, "failure", shell("pip install --no-deps textserver", TIMED_OUT), shell("ls", "Permission denied"))
    told = await failed_once_more()
    assert (
        f"Did not succeed at this task (the only failed attempt found): never got `pip install --no-deps textserver` to work: {TIMED_OUT}"
        in told
    )
    await attempt(memory, SERVE, "success", shell("pip download textserver"), shell("textserver --port 5000 --daemon"))
    told = await failed_once_more()
    assert "Worked at this task (the only success found): `pip download textserver`; `textserver --port 5000 --daemon`" in told
    assert told.index("Worked at this task") < told.index("Did not succeed at this task")
