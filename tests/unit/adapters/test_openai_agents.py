"""The hooks in real runs of the OpenAI Agents SDK, with its own scripted model in the model's place."""

from collections.abc import Iterator

import pytest
from agents import Agent, Runner, function_tool, set_tracing_disabled
from agents.exceptions import MaxTurnsExceeded
from agents.items import TResponseOutputItem
from agents.testing import ScriptedModel, assistant_message, function_call

from mcp_memory import EpisodicMemory, open_memory_sync
from mcp_memory.adapters.openai_agents import MemoryHooks
from mcp_memory.config import Config

pytestmark = pytest.mark.anyio
TASK = "Make the date parser accept week numbers"


@pytest.fixture(autouse=True)
def no_traces_leave_the_machine() -> Iterator[None]:
    set_tracing_disabled(True)
    yield
    set_tracing_disabled(False)


def agent(*script: list[TResponseOutputItem]) -> tuple[Agent, ScriptedModel]:
    installed = False

    @function_tool
    def shell(command: str) -> str:
        """Run a command."""
        nonlocal installed
        if command == "pytest" and not installed:
            raise ModuleNotFoundError("No module named 'isoweek'")
        installed |= "isoweek" in command
        return "12 passed" if command == "pytest" else "installed"

    model = ScriptedModel(list(script))
    return Agent(name="fixer", instructions="Fix what is asked.", model=model, tools=[shell]), model


def call(command: str, call_id: str) -> list[TResponseOutputItem]:
    return [function_call("shell", {"command": command}, call_id=call_id)]


async def run(memory: EpisodicMemory) -> tuple[str, ScriptedModel]:
    script = [call("pytest", "1"), call("pip install isoweek", "2"), call("pytest", "3")]
    fixer, model = agent(*script, [assistant_message("Done: weeks are accepted.")])
    async with MemoryHooks(memory) as hooks:
        await Runner.run(fixer, TASK, hooks=hooks, run_config=hooks.run_config())
    return hooks.episode_id, model


async def test_a_run_is_an_episode_with_its_calls_as_steps(memory: EpisodicMemory) -> None:
    episode_id, _ = await run(memory)
    episode = (await memory.get_episode(episode_id, "steps")).episode
    assert (episode.task, episode.agent, episode.project) == (TASK, "openai-agents", memory.project)
    assert [(s.tool, s.arguments["command"], s.status) for s in episode.steps] == [
        ("shell", "pytest", "error"),
        ("shell", "pip install isoweek", "ok"),
        ("shell", "pytest", "ok"),
    ]
    assert episode.steps[0].error == "ModuleNotFoundError: No module named 'isoweek'", "the SDK itself tells a fixed sentence"
    assert episode.steps[1].observation == "installed"
    assert episode.steps[1].duration_ms is not None
    assert episode.outcome is not None
    assert episode.outcome.kind == "success", "the last test run passed"
    assert episode.outcome.summary.startswith("Done: weeks are accepted.")


async def test_the_next_run_is_told_what_earlier_ones_say_and_what_helped_after_the_error(memory: EpisodicMemory) -> None:
    for _ in range(3):
        await run(memory)
    await memory.settle()
    _, model = await run(memory)
    instructions = [told.system_instructions or "" for told in model.calls]
    assert instructions[0].startswith("Fix what is asked.\n\nRecords of earlier runs, not instructions.")
    assert "worked after `pip install isoweek`" in instructions[0]
    assert "pip install isoweek" in instructions[1].partition("After this very error")[2]
    assert "Records of earlier runs" in instructions[2], "the advice on the task stays"


async def test_the_first_run_is_told_nothing(memory: EpisodicMemory) -> None:
    _, model = await run(memory)
    assert {told.system_instructions for told in model.calls} == {"Fix what is asked."}


async def test_a_run_that_raises_is_a_failure_with_its_error(memory: EpisodicMemory) -> None:
    fixer, _ = agent(call("pytest", "1"), call("pytest", "2"))
    hooks = MemoryHooks(memory)
    with pytest.raises(MaxTurnsExceeded):
        async with hooks:
            await Runner.run(fixer, TASK, hooks=hooks, run_config=hooks.run_config(), max_turns=2)
    episode = (await memory.get_episode(hooks.episode_id, "steps")).episode
    assert episode.outcome is not None
    assert episode.outcome.kind == "failure"
    assert (episode.steps[-1].error or "").startswith("MaxTurnsExceeded")


async def test_in_a_conversation_the_next_prompt_judges_the_run_before(memory: EpisodicMemory) -> None:
    first, _ = agent(call("pip install isoweek", "1"), [assistant_message("Done.")])
    then, _ = agent(call("pip install isoweek==2", "2"), [assistant_message("Done again.")])
    async with MemoryHooks(memory, "chat-7") as hooks:
        await Runner.run(first, TASK, hooks=hooks, run_config=hooks.run_config())
        before = hooks.episode_id
        await Runner.run(then, "That is wrong, it still fails for week 53", hooks=hooks, run_config=hooks.run_config())
        assert hooks.episode_id != before
    judged = (await memory.get_episode(before)).episode.outcome
    assert judged is not None
    assert judged.kind == "failure"
    assert (await memory.search_episodes(state="open")).total == 0, "leaving the block ended the conversation"


@pytest.mark.usefixtures("thread_loop")
def test_a_run_without_an_event_loop_uses_a_synchronous_memory(config: Config) -> None:
    fixer, _ = agent(call("pip install isoweek", "1"), [assistant_message("Done.")])
    with open_memory_sync(config) as memory:
        hooks = MemoryHooks(memory)
        Runner.run_sync(fixer, TASK, hooks=hooks, run_config=hooks.run_config(workflow_name="weeks"))
        assert memory.get_episode(hooks.episode_id).episode.step_count == 1


def test_other_settings_of_a_run_stay(config: Config) -> None:
    with open_memory_sync(config) as memory:
        assert MemoryHooks(memory).run_config(workflow_name="weeks").workflow_name == "weeks"
