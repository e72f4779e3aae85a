"""Fixtures every test may use. No test sees the machine's own settings or data directory."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mcp_memory.config import Config
from mcp_memory.config_sources import load_config

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory


@pytest.fixture(autouse=True)
def no_settings_from_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove our environment names, and let the default data directory be a scratch one."""
    for name in os.environ:
        if name.startswith("MCP_MEMORY_") or name == "CLAUDE_PROJECT_DIR":
            monkeypatch.delenv(name)
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "user-data"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def config(data_dir: Path) -> Config:
    """Settings of a scratch memory without the model: recall is lexical."""
    return load_config(env={}, flags={"storage.data_dir": str(data_dir), "embedding.provider": "off"})


@pytest.fixture
async def memory(config: Config) -> AsyncIterator["EpisodicMemory"]:
    """An open memory on real files in a scratch directory."""
    from mcp_memory.bootstrap import open_memory

    async with open_memory(config) as opened:
        yield opened
