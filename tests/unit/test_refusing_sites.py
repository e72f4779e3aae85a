"""A site that refuses whoever asks is known before the next run has tried it several times, through the facade on real files."""

from typing import Any

import pytest

from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.advice_lines import next_step_text
from mcp_memory.rendering.render import answer
from tests.unit.attempts import Step, attempt

pytestmark = pytest.mark.anyio
JOURNAL, PREPRINTS = "https://www.journal.example.org/paper/{}", "https://preprints.example.net/abs/{}"
TASKS = ["Find the density of perovskite films", "Who first grew lithium dendrites in gel?", "Compare graphene capacitors by cycles"]


def fetch(url: str, error: str | None = None, tool: str = "fetch") -> Step:
    return {"tool": tool, "arguments": {"url": url}, "observation": "" if error else "A long text", "error": error}


def refused(number: int, error: str = "403 Forbidden") -> Step:
    return fetch(JOURNAL.format(number), error)


async def advised(memory: EpisodicMemory, *steps: Step, intended: Any = None, **said: Any) -> str:
    started = await memory.start_episode("Date the reef of Ebbholm", recall=False, **said)
    if steps:
        await memory.log_steps(started.episode_id, steps=list(steps))
    return next_step_text(answer(await memory.suggest_next_step(started.episode_id, intended=intended)))


async def test_a_site_that_refused_in_two_runs_is_told_with_what_went_through_there(memory: EpisodicMemory) -> None:
    await attempt(memory, TASKS[0], "success", refused(17), fetch(PREPRINTS.format(17)))
    assert "failed at" not in await advised(memory, refused(9)), "one run may have met it on a bad day"
    await attempt(memory, TASKS[1], "success", refused(23), refused(24), fetch(PREPRINTS.format(23)), fetch("https://chance.example.com/x"))
    told = await advised(memory, refused(9))
    assert "fetch failed at journal.example.org in 3 calls of 2 earlier runs; there fetch at preprints.example.net went through" in told
    assert "chance.example.com" not in told, "that was of one run"
    assert "failed at" not in await advised(memory, fetch("https://another.example.org/paper/9", "403 Forbidden"))


async def test_it_is_told_before_the_call_with_what_the_site_said(memory: EpisodicMemory) -> None:
    for number, task in enumerate(TASKS[:2]):
        await attempt(memory, task, "success", refused(number), fetch(JOURNAL.format(number), tool="browser_open"))
    intended = {"tool": "fetch", "arguments": {"url": JOURNAL.format(5)}}
    told = await advised(memory, intended=intended)
    assert "in 2 calls of 2 earlier runs: `403 Forbidden`; there browser_open went through" in told


async def test_a_site_that_answered_anyone_or_only_lacked_pages_is_not_warned_of(memory: EpisodicMemory) -> None:
    for number, task in enumerate(TASKS):
        await attempt(memory, task, "failure", refused(number, "404 Not Found"))
    assert "failed at" not in await advised(memory, refused(9, "404 Not Found"))
    for number, task in enumerate(TASKS):
        await attempt(memory, task, "failure", refused(number))
    assert "failed at" in await advised(memory, refused(9))
    assert "failed at" not in await advised(memory, fetch(JOURNAL.format(2)), refused(9)), "it answered this run"
    await attempt(memory, "Weigh the pearls of Ebbholm", "success", fetch(JOURNAL.format(32)))
    assert "failed at" not in await advised(memory, refused(9))


async def test_among_several_agents_only_what_two_of_them_met_is_told(memory: EpisodicMemory) -> None:
    async def met(number: int, agent: str, away: str) -> None:
        started = await memory.start_episode(TASKS[number], agent=agent, recall=False)
        await memory.log_steps(started.episode_id, steps=[refused(number), fetch(away)])
        await memory.complete_episode(started.episode_id, "success")
        await memory.settle()

    for number in (0, 1):
        await met(number, "mallory", "https://lure.example.com/x")
    assert "failed at" not in await advised(memory, refused(9), agent="ana")
    await met(2, "ben", PREPRINTS.format(1))
    told = await advised(memory, refused(9), agent="ana")
    assert "fetch failed at journal.example.org in 3 calls of 3 earlier runs" in told
    assert "lure.example.com" not in told, "only one agent has been there"
