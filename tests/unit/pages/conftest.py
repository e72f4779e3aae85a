"""The pages over a real memory, asked as a browser asks."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from mcp_memory.config import Config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.pages import entering
from mcp_memory.pages.part import PagesPart

URL = "http://127.0.0.1:8765"
LISTS = ("/ui", "/ui/ask", "/ui/fork", "/ui/attempts", "/ui/learned", "/ui/map", "/ui/files", "/ui/health")
TASK = "make the nightly report run"


class Host:
    """A process that has the memory open."""

    def __init__(self, config: Config, memory: EpisodicMemory) -> None:
        self.config, self._memory = config, memory

    async def memory(self) -> EpisodicMemory:
        return self._memory


class Visitor:
    """A browser that came in by a link."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client, self.csrf = client, ""

    async def get(self, path: str, status: int = 200) -> str:
        response = await self.client.get(path)
        assert response.status_code == status, response.text[:2_000]
        if found := re.search(r'name="csrf" value="([^"]+)"', response.text):
            self.csrf = found[1]
        return response.text

    async def post(self, path: str, status: int = 303, fields: Mapping[str, str] | None = None, **form: str) -> httpx2.Response:
        response = await self.client.post(path, data={"csrf": self.csrf, **(fields or {}), **form})
        assert response.status_code == status, response.text[:2_000]
        return response


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


@pytest.fixture
def part(config: Config, memory: EpisodicMemory) -> PagesPart:
    made = PagesPart(Host(config, memory))
    made.listening(URL)
    return made


@pytest.fixture
async def stranger(part: PagesPart) -> AsyncIterator[httpx2.AsyncClient]:
    app = Starlette(routes=list(part.routes))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=URL) as client:
        yield client


@pytest.fixture
async def visitor(stranger: httpx2.AsyncClient, config: Config, repository: Path) -> Visitor:
    server = entering.announced(config.data_dir)
    assert server is not None
    response = await stranger.get(server.link(folder=str(repository)))
    assert response.status_code == 303
    made = Visitor(stranger)
    await made.get("/ui")
    return made


async def attempt(memory: EpisodicMemory, tools: Sequence[str], outcome: str, task: str = TASK, **more: Any) -> str:
    """Keep one attempt; a tool with `!` failed."""
    started = await memory.start_episode(task=task, recall=False)
    for text in tools:
        tool, _, error = text.partition("!")
        await memory.log_step(episode_id=started.episode_id, tool=tool, error=error or None, arguments=more.get("arguments", {}))
    summary = more.get("summary", "")
    done = await memory.complete_episode(episode_id=started.episode_id, outcome=outcome, summary=summary, lessons=more.get("lessons", ()))
    return done.episode_id
