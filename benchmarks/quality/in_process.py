"""The facade of this process, asked as a client would ask the server's: for questions by the thousand."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.quality.session import Reading, Session
from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.lines import recall_text
from mcp_memory.rendering.render import answer

PROJECT = "split"


class InProcess(Session):
    """A memory of this process behind the calls of a client."""

    def __init__(self, memory: EpisodicMemory) -> None:
        self.memory = memory
        self.durations_ms = {}

    async def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Return the answer of the verb named like the tool, as plain values."""
        return asdict(await getattr(self.memory, tool)(**arguments))

    async def read(self, tool: str, /, **arguments: Any) -> Reading:
        """Return the answer of a recall with the text that the server puts beside it."""
        found = answer(await getattr(self.memory, tool)(**arguments))
        return Reading(found, recall_text(found))

    async def take_in(self, lines: Iterable[Any]) -> None:
        """Import interchange lines and wait until all of them are embedded."""
        await self.memory.import_lines([json.dumps(line) for line in lines])
        await self.memory.settle()

    async def episode_ids(self) -> dict[str, str]:
        """Return the id of every episode by its external id."""
        found: dict[str, str] = {}
        cursor: str | None = None
        while True:
            page = await self.call("search_episodes", state="completed", sort="oldest", limit=100, **({"cursor": cursor} if cursor else {}))
            found |= {row["external_id"]: row["episode_id"] for row in page["episodes"]}
            cursor = page["next_cursor"]
            if not cursor:
                return found


@asynccontextmanager
async def opened_here(data_dir: Path, lines: Iterable[Any], flags: Mapping[str, Any] | None = None) -> AsyncIterator[InProcess]:
    """Open a memory with default settings and *flags*, and take *lines* in; what is there already is left as it is."""
    config = load_config(env={}, flags={"storage.data_dir": str(data_dir), "server.project": PROJECT, **(flags or {})})
    async with open_memory(config) as memory:
        session = InProcess(memory)
        await session.take_in(lines)
        yield session
