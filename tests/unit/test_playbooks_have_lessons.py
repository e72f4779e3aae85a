"""What the agents of attempts like this one noted belongs into a playbook, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import playbook_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import attempt, shell

pytestmark = pytest.mark.anyio
DECIMAL = "Sum money with Decimal built from strings."


async def playbook(memory: EpisodicMemory, task: str) -> str:
    return playbook_text(answer(await memory.recommend_playbook(task)))


async def test_a_lesson_of_a_success_at_a_task_like_it_is_in_the_playbook_once(memory: EpisodicMemory) -> None:
    for month in ("May", "June"):
        await attempt(memory, f"Make the invoice totals of {month} exact", "success", shell("python -m unittest"), lessons=[DECIMAL])
    told = await playbook(memory, "Make the invoice totals of July exact to the cent")
    assert told.count(DECIMAL) == 1
    assert "Noted after a success at a task" in told


async def test_a_lesson_of_a_failure_is_told_of_the_very_task_alone(memory: EpisodicMemory) -> None:
    task = "Move the billing service to the new cluster in Oslo"
    lost, won = "The old load balancer drops idle connections.", "Drain the queue before the switch."
    await attempt(memory, task, "failure", shell("kubectl apply -f billing.yaml"), lessons=[lost])
    await attempt(memory, task, "success", shell("kubectl apply -f queue.yaml"), lessons=[won])
    told = await playbook(memory, task)
    assert f"Noted after a success at this task: {won}" in told
    assert told.count(lost) == 1
    assert lost not in await playbook(memory, "Copy the billing tables to the new cluster in Rome")
