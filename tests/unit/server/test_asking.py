"""`forget` without confirm: the person is asked where the client can, and nothing is deleted where it cannot."""

from typing import Any

import pytest
from mcp_types import ElicitResult

from tests.unit.server.conftest import Connect
from tests.unit.server.fake_memory import FakeMemory

pytestmark = pytest.mark.anyio


def answering(action: str, content: dict[str, Any] | None, heard: list[str]) -> Any:
    async def answer(context: Any, params: Any) -> ElicitResult:
        heard.append(params.message)
        return ElicitResult(action=action, content=content)  # type: ignore[arg-type]

    return answer


def deleted(memory: FakeMemory) -> bool:
    return any(arguments.get("confirm") is True for verb, arguments in memory.calls if verb == "forget")


async def test_a_yes_deletes(connect: Connect, memory: FakeMemory) -> None:
    heard: list[str] = []
    async with connect(elicitation_callback=answering("accept", {"confirm": True}, heard)) as client:
        result = await client.call_tool("forget", {"episode_ids": ["ep0", "ep1"]})
    assert heard == ["Delete from the memory for good: 2 episodes, 6 steps?"]
    assert result.structured_content["deleted"] == {"episodes": 2, "steps": 6}


@pytest.mark.parametrize(("action", "content"), [("accept", {"confirm": False}), ("decline", None), ("cancel", None)])
async def test_anything_but_a_yes_only_counts(connect: Connect, memory: FakeMemory, action: str, content: dict[str, Any] | None) -> None:
    async with connect(elicitation_callback=answering(action, content, [])) as client:
        result = await client.call_tool("forget", {"episode_ids": ["ep0"]})
    assert result.structured_content["would_delete"] == {"episodes": 1, "steps": 3}
    assert result.structured_content["declined"] is True
    assert not deleted(memory)


async def test_a_client_that_cannot_ask_gets_the_count(connect: Connect, memory: FakeMemory) -> None:
    async with connect() as client:
        result = await client.call_tool("forget", {"episode_ids": ["ep0"]})
    assert result.structured_content["would_delete"] == {"episodes": 1, "steps": 3}
    assert result.structured_content["deleted"] is None
    assert not deleted(memory)


async def test_nobody_is_asked_about_nothing_or_about_what_is_confirmed(connect: Connect, memory: FakeMemory) -> None:
    heard: list[str] = []
    async with connect(elicitation_callback=answering("accept", {"confirm": True}, heard)) as client:
        await client.call_tool("forget", {"episode_ids": []})
        await client.call_tool("forget", {"episode_ids": ["ep0"], "confirm": True})
    assert heard == []
    assert deleted(memory)
