"""A server over the scripted memory, reached through the SDK's own client in memory."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp import Client

from mcp_memory.config import Config, ServerConfig
from mcp_memory.server.app import build_server
from mcp_memory.server.lifecycle import MemoryHost
from tests.unit.server.fake_memory import FakeMemory

Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> str:
    """The client's protocol era: the newest, and the handshake one."""
    return str(request.param)


@pytest.fixture
def connect(memory: FakeMemory, era: str) -> Connect:
    """Return a function that connects a client to a server over *memory*."""

    @asynccontextmanager
    async def connected(tool_set: str = "full", server: ServerConfig | None = None, **options: Any) -> AsyncIterator[Client]:
        @asynccontextmanager
        async def opener(config: Config) -> AsyncIterator[FakeMemory]:
            yield memory

        host = MemoryHost(Config(server=server or ServerConfig()), opener)  # type: ignore[arg-type]
        app = build_server(host, tool_set)
        async with anyio.create_task_group() as group:
            group.start_soon(host.keep_open)
            group.start_soon(app.updates.run)
            async with Client(app.server, mode=era, **options) as client:
                yield client
            await host.aclose()
            group.cancel_scope.cancel()

    return connected
