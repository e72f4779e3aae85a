"""Machines with one shared log, as tests open them through the front door; the fixtures are in `conftest.py`."""

from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import anyio

from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.storage.connection import open_writer

WAIT_S = 30
Machine = Callable[..., Awaitable[EpisodicMemory]]
TASK = "fix the flaky date parser of the invoice importer"


def settings(folder: Path, **env: str) -> Config:
    flags = {"storage.data_dir": str(folder), "embedding.provider": "off", "server.project": "shop"}
    return load_config(env={"MCP_MEMORY_REMOTE_URL": "http://log.invalid", **env}, flags=flags)


def spoil(folder: Path, statement: str, *values: object) -> int:
    """Change rows of a memory that nobody has open, without their sums; return how many."""
    with closing(open_writer(folder / "memory.db", synchronous="OFF", busy_timeout_ms=100, deadline_ms=1000)) as connection:
        return connection.execute(statement, values).rowcount


async def until(true: Callable[[], Awaitable[object]]) -> None:
    """Wait until it is."""
    with anyio.fail_after(WAIT_S):
        while not await true():  # noqa: ASYNC110 - of another machine
            await anyio.sleep(0.02)


async def attempt(memory: EpisodicMemory, *, outcome: str = "success", task: str = TASK) -> str:
    started = await memory.start_episode(task=task, framework="pytest", tags=["dates"])
    await memory.log_step(episode_id=started.episode_id, tool="bash", arguments={"command": "pytest"}, error="AssertionError: 3 failed")
    await memory.log_step(episode_id=started.episode_id, tool="edit", arguments={"path": "src/dates.py"}, observation="written")
    await memory.log_step(episode_id=started.episode_id, tool="bash", arguments={"command": "pytest"}, observation="12 passed")
    await memory.complete_episode(episode_id=started.episode_id, outcome=outcome, summary="parsed by dateutil", lessons=["use dateutil"])
    return started.episode_id
