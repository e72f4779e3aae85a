"""MCP Apps: announced to clients that show views and to no others; the view and what it shows come with the tool that reads an attempt."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.extension import ClientExtension, advertise
from mcp.shared.exceptions import MCPError

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.server.app import build_server
from mcp_memory.server.apps import ATTEMPT, EXTENSION, MIME_TYPE, VIEW
from mcp_memory.server.lifecycle import MemoryHost

pytestmark = pytest.mark.anyio
SHOWS = [advertise(EXTENSION, {"mimeTypes": [MIME_TYPE]})]
SHOWS_OTHERS = [advertise(EXTENSION, {"mimeTypes": ["text/uri-list"]})]
HOSTILE = "<script>pwned()</script><img src=x onerror=pwned()>"


@asynccontextmanager
async def connected(config: Config, era: str, extensions: Sequence[ClientExtension]) -> AsyncIterator[Client]:
    host = MemoryHost(config, open_memory)
    app = build_server(host, "core")
    async with anyio.create_task_group() as group:
        group.start_soon(host.keep_open)
        group.start_soon(app.updates.run)
        async with Client(app.server, mode=era, extensions=extensions) as client:
            yield client
        await host.aclose()
        group.cancel_scope.cancel()


async def attempt(memory: EpisodicMemory, outcome: str, *tools: str) -> str:
    started = await memory.start_episode(task=f"mend the report {HOSTILE}", recall=False)
    for text in tools:
        tool, _, error = text.partition("!")
        await memory.log_step(episode_id=started.episode_id, tool=tool, error=error or None, observation=HOSTILE)
    await memory.complete_episode(episode_id=started.episode_id, outcome=outcome)
    return started.episode_id


async def read(client: Client, episode_id: str) -> dict[str, Any]:
    result = await client.call_tool("get_episode", {"episode_id": episode_id})
    assert not result.is_error
    return dict(result.meta or {})


async def views_of(client: Client) -> dict[str, Any]:
    return {tool.name: tool.meta["ui"] for tool in (await client.list_tools()).tools if tool.meta and "ui" in tool.meta}


async def test_a_list_with_a_view_is_that_clients_own_and_every_other_is_everybodys(config: Config) -> None:
    for extensions, whose in ((SHOWS, "private"), (SHOWS_OTHERS, "public"), ([], "public")):
        async with connected(config, "2026-07-28", extensions) as client:
            assert (await client.list_tools()).cache_scope == whose


async def test_a_client_that_shows_views_is_told_of_one_and_others_are_not(config: Config, era: str) -> None:
    async with connected(config, era, SHOWS) as client:
        assert await views_of(client) == {"get_episode": {"resourceUri": ATTEMPT}}
    for extensions in ([], SHOWS_OTHERS):
        async with connected(config, era, extensions) as client:
            assert await views_of(client) == {}


async def test_the_view_is_one_document_that_fetches_nothing(config: Config, era: str) -> None:
    async with connected(config, era, SHOWS) as client:
        (contents,) = (await client.read_resource(ATTEMPT)).contents
        with pytest.raises(MCPError, match="Resource not found"):
            await client.read_resource("ui://memory/another")
    text = getattr(contents, "text", "")
    assert contents.mime_type == MIME_TYPE
    assert text.startswith("<!doctype html>")
    assert "default-src 'none'; script-src 'sha256-" in text
    assert not [piece for piece in ('src="', 'href="', "@import", "url(", "http://", "https://") if piece in text]


async def test_a_result_brings_the_fork_and_the_steps_with_every_value_escaped(config: Config, era: str) -> None:
    async with open_memory(config) as memory:
        good = [await attempt(memory, "success", "read", "migrate", "run") for _ in range(2)]
        bad = [await attempt(memory, "failure", "read", f"run!{HOSTILE}") for _ in range(2)]
    async with connected(config, era, SHOWS) as client:
        view = (await read(client, bad[0]))[VIEW]
        assert "2 of 4 attempts worked" in view
        assert view.count('<tr class="') == 4
        assert 'id="step-1"' in view
        assert "<script" not in view
        assert "<img" not in view
        assert "&lt;script&gt;" in view
        assert "/ui/" not in view, "a host's frame has no pages to go to"
        still_open = (await client.call_tool("start_episode", {"task": "another", "recall": False})).structured_content
        assert still_open is not None
        assert "No step was logged" in (await read(client, still_open["episode_id"]))[VIEW]
    async with connected(config, era, []) as client:
        assert VIEW not in await read(client, good[0])
