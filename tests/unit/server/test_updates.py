"""Whoever subscribed hears of a completion, in the way of its protocol era."""

from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPDeprecationWarning

from tests.unit.server.conftest import Connect
from tests.unit.server.fake_memory import FakeMemory

pytestmark = pytest.mark.anyio
RECENT = "memory://episodes/recent"


@pytest.mark.parametrize("era", ["legacy"], indirect=True)
async def test_a_subscription_of_the_older_era_hears_of_its_resource_only(connect: Connect) -> None:
    heard: list[str] = []
    arrived = anyio.Event()

    async def hear(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            heard.append(str(message.params.uri))
            arrived.set()

    async with connect(message_handler=hear) as client:
        with pytest.warns(MCPDeprecationWarning):
            await client.subscribe_resource("memory://lessons/web")
        with pytest.warns(MCPDeprecationWarning):
            await client.subscribe_resource("memory://episode/ep0")
        with pytest.warns(MCPDeprecationWarning):
            await client.unsubscribe_resource("memory://episode/ep0")
        await client.call_tool("start_episode", {"task": "t"})
        await client.call_tool("complete_episode", {"episode_id": "ep0", "outcome": "success"})
        with anyio.fail_after(5):
            await arrived.wait()
    assert heard == ["memory://lessons/web"]


@pytest.mark.parametrize("era", ["auto"], indirect=True)
async def test_a_listen_stream_hears_of_its_resource(connect: Connect) -> None:
    async with connect() as client, client.listen(resource_subscriptions=[RECENT, "memory://project/shop"]) as stream:
        await client.call_tool("start_episode", {"task": "t"})
        await client.call_tool("complete_episode", {"episode_id": "ep0", "outcome": "success"})
        heard = set()
        with anyio.fail_after(5):
            async for event in stream:
                heard.add(str(event.uri))  # type: ignore[union-attr]
                if len(heard) == 2:
                    break
    assert heard == {RECENT, "memory://project/shop"}


async def test_nobody_listening_costs_nothing(connect: Connect, memory: FakeMemory) -> None:
    async with connect() as client:
        await client.call_tool("start_episode", {"task": "t"})
        await client.call_tool("complete_episode", {"episode_id": "ep0", "outcome": "success"})
        await client.call_tool("memory_status", {})
    assert [verb for verb, _ in memory.calls] == ["start_episode", "complete_episode", "memory_status"]
