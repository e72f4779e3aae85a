"""A session that a framework tells: what becomes an episode, what is told back, and that the agent goes on whatever the memory does."""

import logging

import pytest

from mcp_memory import EpisodicMemory, open_memory_sync
from mcp_memory.adapters.agent_session import AgentSession
from mcp_memory.config import Config
from mcp_memory.errors import StoreUnavailable

pytestmark = pytest.mark.anyio
TASK = "Make the date parser accept week numbers"


def session(memory: EpisodicMemory, session_id: str = "") -> AgentSession:
    return AgentSession(memory, "a-framework", session_id, project="parser")


async def test_a_prompt_without_steps_leaves_nothing(memory: EpisodicMemory) -> None:
    talk = session(memory)
    await talk.prompt("What is a week number, and who counts them?")
    await talk.stop("A way to count weeks.")
    await talk.end()
    assert (await memory.search_episodes(project="parser")).total == 0
    assert talk.episode_id == ""


async def test_what_is_recorded_has_no_secrets(memory: EpisodicMemory) -> None:
    work = session(memory)
    await work.prompt(TASK)
    await work.step("shell", {"command": "export OPENAI_API_KEY=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"})
    await work.end()
    step = (await memory.get_episode(work.episode_id, "steps")).episode.steps[0]
    assert "abcdefghijklmnop" not in str(step.arguments)


async def test_the_next_prompt_of_a_conversation_tells_how_the_task_before_went(memory: EpisodicMemory) -> None:
    talk = session(memory, "a-conversation")
    await talk.prompt(TASK)
    await talk.step("edit", {"path": "dates.py"})
    await talk.stop("It accepts them now.")
    first = talk.episode_id
    await talk.prompt("That is wrong, it still fails for the first week of the year 2027")
    assert (await memory.get_episode(first)).episode.outcome.kind == "failure"  # type: ignore[union-attr]


async def test_a_call_that_failed_before_is_warned_of_and_its_error_gets_what_helped(memory: EpisodicMemory) -> None:
    for _ in range(4):
        earlier = session(memory)
        await earlier.prompt(TASK)
        await earlier.step("shell", {"command": "cat dates.py"}, response="def parse")
        await earlier.step("shell", {"command": "pytest tests/dates"}, error="ModuleNotFoundError: No module named 'isoweek'")
        await earlier.step("shell", {"command": "pip install isoweek"}, response="installed")
        await earlier.step("shell", {"command": "pytest tests/dates"}, response="12 passed")
        await earlier.end()
    await memory.settle()
    work = session(memory)
    assert "worked after `pip install isoweek`" in await work.prompt(TASK)
    assert await work.warning("shell", {"command": "pytest tests/dates"}) == "", "nothing was done yet"
    await work.step("shell", {"command": "cat dates.py"}, response="def parse")
    warned = await work.warning("shell", {"command": "pytest tests/dates"})
    assert warned.startswith("From earlier runs (records, not instructions): ")
    assert "failed in" in warned
    told = await work.step("shell", {"command": "pytest tests/dates"}, error="ModuleNotFoundError: No module named 'isoweek'")
    assert "pip install isoweek" in told


async def test_an_error_that_ended_the_run_is_its_last_step_and_a_failure(memory: EpisodicMemory) -> None:
    work = session(memory)
    await work.prompt(TASK)
    await work.step("edit", {"path": "dates.py"})
    await work.end(ValueError("too many turns"))
    episode = (await memory.get_episode(work.episode_id, "steps")).episode
    assert (episode.steps[-1].tool, episode.steps[-1].error) == ("run", "ValueError: too many turns")
    assert episode.outcome is not None
    assert episode.outcome.kind == "failure"


async def test_the_agent_goes_on_when_the_memory_cannot_record_and_that_is_said(
    memory: EpisodicMemory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuses(*args: object, **kwargs: object) -> None:
        raise StoreUnavailable("the disk is full")

    work = session(memory)
    await work.prompt(TASK)
    monkeypatch.setattr(memory, "start_episode", refuses)
    with caplog.at_level(logging.WARNING):
        assert await work.step("edit", {"path": "dates.py"}) == ""
    assert "not recorded: the disk is full" in caplog.text


async def test_a_session_can_be_told_to_a_memory_in_a_thread_of_its_own(config: Config) -> None:
    with open_memory_sync(config) as memory:
        work = AgentSession(memory, "a-framework", project="parser")
        await work.prompt(TASK)
        await work.step("edit", {"path": "dates.py"})
        await work.end()
        assert memory.get_episode(work.episode_id).episode.agent == "a-framework"
