"""Who has shown no token gets little time and a small share; whoever is known keeps theirs."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from uvicorn.server import ServerState

from mcp_memory.config import ServerConfig
from mcp_memory.server.auth import Authentication
from mcp_memory.server.connections import Connections, OncePerSecond, affordable
from mcp_memory.server.guard import Guard

pytestmark = pytest.mark.anyio
TOKEN = "0123456789abcdef"
GOOD = f"GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
NO_TOKEN = b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answers(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class Clients:
    def __init__(self, port: int) -> None:
        self._port, self._writers = port, list[asyncio.StreamWriter]()

    async def connect(self, data: bytes = b"") -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers.append(writer)
        writer.write(data)
        return reader, writer

    async def status(self, streams: Streams | None = None, data: bytes = GOOD) -> int:
        reader, writer = streams or await self.connect()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        if b"content-length: 2" in head:
            await reader.readexactly(2)
        return int(head.split()[1])

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def served(connections: Connections) -> AsyncIterator[Clients]:
    settings = ServerConfig(token=TOKEN)
    config = uvicorn.Config(Guard(answers, settings, Authentication(settings)), log_config=None, lifespan="off", ws="none")
    config.load()
    state = ServerState()
    make = lambda: connections.protocol(config=config, server_state=state, app_state={})  # noqa: E731
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    clients = Clients(server.sockets[0].getsockname()[1])
    try:
        with anyio.fail_after(20):
            yield clients
    finally:
        clients.close()
        server.close()
        await server.wait_closed()


async def closed(streams: Streams) -> bool:
    try:
        while await streams[0].read(65_536):
            pass
    except ConnectionResetError:
        return True
    return True


async def test_silent_and_half_sent_connections_are_closed_and_the_known_ones_are_served() -> None:
    async with served(Connections(20)) as clients:
        known = await clients.connect()
        assert await clients.status(known) == 200
        silent = [await clients.connect(b"" if number % 2 else GOOD[:40]) for number in range(60)]
        assert await closed(silent[0])
        assert await closed(silent[50])
        assert await clients.status(known) == 200
        for _ in range(5):
            assert await clients.status() == 200, "a newcomer with a token gets in"


async def test_what_does_not_send_its_headers_in_time_is_closed() -> None:
    async with served(Connections(20, headers_s=0.1)) as clients:
        assert await closed(await clients.connect())
        assert await closed(await clients.connect(GOOD[:30]))
        known = await clients.connect()
        assert await clients.status(known) == 200
        known[1].write(GOOD[:30])
        assert await closed(known), "a second request has to come in time as well"


async def test_without_a_token_nobody_stays() -> None:
    async with served(Connections(20, unknown_s=0.2)) as clients:
        streams = await clients.connect()
        assert await clients.status(streams, NO_TOKEN) == 401
        assert await closed(streams)


async def test_those_who_are_known_have_a_bound_too_and_are_told() -> None:
    async with served(Connections(10)) as clients:
        for _ in range(4):
            assert await clients.status() == 200
        assert await clients.status() == 503


def test_one_warning_of_a_kind_a_second_with_the_number_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("mcp_memory.server.connections.time.monotonic", lambda: now[0])
    once = OncePerSecond()
    records = [logging.LogRecord("x", logging.WARNING, "", 0, "refused %s", (number,), None) for number in range(1_001)]
    assert sum(once.filter(record) for record in records[:1_000]) == 1
    now[0] += 1
    assert once.filter(records[1_000])
    assert records[1_000].getMessage() == "refused 1000 (and 999 more like it)"


def test_there_are_never_more_connections_than_descriptors() -> None:
    resource = pytest.importorskip("resource", reason="no descriptor limits on Windows")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
        assert affordable(150) == 150, "the soft limit is raised"
        assert affordable(10**9) < 10**9
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
