"""Two real MCP servers with data directories of their own and one real log, through the SDK's client over stdio."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from tests.log_servers import Server, started
from tests.raw_client import server_environment

pytestmark = pytest.mark.anyio
WAIT_S = 60
Machine = Callable[[str], Awaitable[Client]]


@pytest.fixture(scope="module", params=["sqld", "postgres"])
def log_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = started(request.param)
    yield server
    server.stop()


@pytest.fixture
async def machine(tmp_path: Path, log_server: Server) -> AsyncIterator[Machine]:
    """Starts a machine's server, by its name, and returns a client of it."""
    async with AsyncExitStack() as opened:

        async def start(name: str) -> Client:
            settings = {"MCP_MEMORY_REMOTE_URL": log_server.url, "MCP_MEMORY_PROJECT": "shop", "MCP_MEMORY_TOOLS": "full"}
            environment = server_environment(tmp_path / name, MCP_MEMORY_EMBEDDING__PROVIDER="off", **settings)
            parameters = StdioServerParameters(command=sys.executable, args=["-m", "mcp_memory", "stdio"], env=environment)
            return await opened.enter_async_context(Client(stdio_client(parameters)))

        yield start


async def call(client: Client, name: str, /, **arguments: Any) -> dict[str, Any]:
    answer = await client.call_tool(name, arguments)
    assert not answer.is_error, answer
    assert answer.structured_content is not None
    return answer.structured_content


async def until(true: Callable[[], Awaitable[object]]) -> None:
    with anyio.fail_after(WAIT_S):
        while not await true():  # noqa: ASYNC110 - of another machine
            await anyio.sleep(0.1)


async def attempt(client: Client, task: str) -> str:
    id_: str = (await call(client, "start_episode", task=task, framework="pytest"))["episode_id"]
    for command, error in (("pytest", "AssertionError: 3 failed"), ("sed -i s/a/b/ dates.py", ""), ("pytest", "")):
        await call(client, "log_step", episode_id=id_, tool="bash", arguments={"command": command}, **({"error": error} if error else {}))
    await call(client, "complete_episode", episode_id=id_, outcome="success", summary="parsed the heliotrope dates")
    return id_


async def test_what_a_completed_b_recalls_with_evidence_of_both_and_what_a_forgets_is_gone_at_b(machine: Machine, tmp_path: Path) -> None:
    a, b = await machine("a"), await machine("b")
    of_a, of_b = await attempt(a, "fix the flaky date parser"), await attempt(b, "fix the flaky date parser again")

    async def recalled() -> bool:
        found = await call(b, "recall", query="flaky date parser")
        return {of_a, of_b} <= {row["episode_id"] for row in found["episodes"]}

    await until(recalled)
    patterns = (await call(b, "search_patterns", min_support=2))["patterns"]
    detail = await call(b, "get_pattern", pattern_id=patterns[0]["pattern_id"])
    assert {row["episode_id"] for row in detail["evidence"]} == {of_a, of_b}
    await call(b, "forget", episode_ids=[of_b], confirm=True)
    await call(a, "forget", episode_ids=[of_a], confirm=True)

    async def gone() -> bool:
        files = [path for name in ("a", "b") for path in (tmp_path / name).glob("memory.db*")]
        return not any(b"heliotrope" in path.read_bytes() for path in files)

    await until(gone)
    for client in (a, b):
        assert (await call(client, "recall", query="flaky date parser"))["episodes"] == []
        assert (await call(client, "search_patterns"))["patterns"] == []
