"""The steps of a whole episode in one call, as models send them who were shown no field of a step: by the names of their own hosts."""

from typing import Any

import pytest

from mcp_memory.domain.requests.recording import StepFields
from mcp_memory.domain.requests.step_names import named_step
from mcp_memory.errors import InvalidArguments
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
SENT = [
    ({"tool": "bash", "input": {"command": "ls"}, "output": "a b", "success": True}, "bash:ls", False, "a b"),
    ({"step": 2, "tool_name": "look", "parameters": {}, "result": "dark", "is_error": True}, "look", True, "dark"),
    ({"action": "Bash", "action_input": "ls /", "observation": "bin"}, "bash:ls", False, "bin"),
    ({"thought": "It is dark", "action": "Lit the lamp", "observation": "You see a door"}, "act", False, "You see a door"),
    ({"function": {"name": "get_user", "arguments": '{"id": 3}'}, "output": "Ada"}, "get_user", False, "Ada"),
    ({"command": "make", "stdout": "cc a.c", "stderr": "make: *** no rule", "exit_code": 2}, "bash:make", True, "cc a.c"),
    ({"command": "make", "stdout": "cc a.c", "stderr": "a.c:1: warning: unused"}, "bash:make", False, "cc a.c\na.c:1: warning: unused"),
    ("Opened the valve", "act", False, ""),
]


@pytest.mark.parametrize(("sent", "key", "failed", "observation"), SENT)
async def test_a_step_is_read_by_the_names_that_hosts_have_for_a_call(
    memory: EpisodicMemory, sent: Any, key: str, failed: bool, observation: str
) -> None:
    done = await memory.complete_episode(outcome="success", task="Look about", steps=[sent])
    (step,) = (await memory.get_episode(done.episode_id, detail="full")).episode.steps
    assert (step.key, step.failed, step.observation) == (key, failed, observation)


async def test_a_name_that_nobody_knows_is_refused_with_the_fields_of_a_step(memory: EpisodicMemory) -> None:
    with pytest.raises(InvalidArguments, match="colour") as refused:
        await memory.complete_episode(outcome="success", task="Look about", steps=[{"tool": "look", "colour": "red"}])
    assert "tool*, action, arguments, observation, status, error" in (refused.value.hint or "")


async def test_two_names_for_one_field_are_refused_and_not_chosen_from(memory: EpisodicMemory) -> None:
    with pytest.raises(InvalidArguments, match="result"):
        await memory.complete_episode(outcome="success", task="Look about", steps=[{"tool": "look", "output": "a", "result": "b"}])


def test_a_step_by_its_own_names_is_taken_as_it_is() -> None:
    step = dict.fromkeys(StepFields.__struct_fields__) | {"tool": "look"}
    assert named_step(step) is step
