"""Machines that share a log in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.memory import EpisodicMemory
from mcp_memory.testing import InMemoryLog
from tests.integration.machines import Machine, settings


@pytest.fixture
def log() -> InMemoryLog:
    return InMemoryLog()


@pytest.fixture
async def machine(tmp_path: Path, log: InMemoryLog) -> AsyncIterator[Machine]:
    """Opens the memory of a machine, by its name and what is in its environment."""
    async with AsyncExitStack() as opened:

        async def open_one(name: str, **env: str) -> EpisodicMemory:
            return await opened.enter_async_context(open_memory(settings(tmp_path / name, **env), lambda remote: log))

        yield open_one
