"""Which project a call comes from: the host's roots, else what hooks of this machine tell."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp.client import ClientRequestContext
from mcp_types import ListRootsResult, Root

from mcp_memory.config import Config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.projects import Project, project_at
from mcp_memory.server.workspace import folder_of
from tests.unit.server.conftest import Connect
from tests.unit.server.fake_memory import FakeMemory

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("era", ["legacy"], indirect=True)
async def test_a_call_comes_from_the_project_of_the_hosts_roots_which_are_asked_once(
    connect: Connect, memory: FakeMemory, tmp_path: Path
) -> None:
    asked: list[str] = []

    async def roots(context: ClientRequestContext) -> ListRootsResult:
        asked.append("roots")
        return ListRootsResult(roots=[Root(uri=tmp_path.as_uri())])  # type: ignore[arg-type]

    async with connect(list_roots_callback=roots) as client:
        for _ in range(2):
            await client.call_tool("recall", {"query": "the rounding"})
    found = project_at(str(tmp_path))
    assert found is not None
    assert (memory.projects, asked) == ([found.name] * 2, ["roots"])


async def test_a_client_without_roots_is_in_the_project_of_the_process(connect: Connect, memory: FakeMemory) -> None:
    async with connect() as client:
        await client.call_tool("recall", {"query": "the rounding"})
    assert memory.projects == [""]


async def test_a_call_in_a_project_records_and_recalls_there(memory_on_disk: EpisodicMemory) -> None:
    with memory_on_disk.working_in("shop"):
        assert (await memory_on_disk.start_episode("Fix the rounding")).project == "shop"
        assert (await memory_on_disk.search_episodes()).total == 1
    assert (await memory_on_disk.search_episodes()).total == 0


async def test_hooks_tell_the_one_project_that_sessions_work_in(memory_on_disk: EpisodicMemory) -> None:
    assert memory_on_disk.heard_project == ""
    memory_on_disk.heard_of("s1", "shop")
    memory_on_disk.heard_of("s2", "shop")
    assert memory_on_disk.heard_project == "shop"
    memory_on_disk.heard_of("s2", "kitchen")
    assert memory_on_disk.heard_project == ""  # nobody can tell which of the two a caller is in
    memory_on_disk.heard_of("s1", "")
    assert memory_on_disk.heard_project == "kitchen"
    assert await memory_on_disk.project_named(Project("kitchen")) == "kitchen"


@pytest.fixture
async def memory_on_disk(config: Config) -> AsyncIterator[EpisodicMemory]:
    from mcp_memory.bootstrap import open_memory

    async with open_memory(config) as opened:
        yield opened


def test_only_a_file_uri_of_this_machine_names_a_folder() -> None:
    assert folder_of("file:///home/ana/my%20shop") == "/home/ana/my shop"
    assert folder_of("file://server/share") == folder_of("https://example.org/a") == ""
