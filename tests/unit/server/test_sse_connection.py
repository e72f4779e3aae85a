"""A client of the older HTTP transport that posts and never reads is cut off; one that reads is not."""

import json
from typing import Any

import anyio
import pytest
from mcp.server.sse import SseServerTransport

from mcp_memory.config import Config
from mcp_memory.server.app import build_server
from mcp_memory.server.lifecycle import MemoryHost
from mcp_memory.server.sse_connection import MAX_IN_FLIGHT, SseEndpoint

pytestmark = pytest.mark.anyio
REQUESTS = MAX_IN_FLIGHT * 3


class Client:
    """Drives the ASGI application by hand, so that nothing reads ahead."""

    def __init__(self) -> None:
        self.transport = SseServerTransport("/messages/")
        self.endpoint = SseEndpoint(build_server(MemoryHost(Config()), "full").server, self.transport, stalled_s=0.3)
        self.reads, self.address, self.events = anyio.Event(), "", 0
        self.opened, self.left, self.ended = anyio.Event(), anyio.Event(), anyio.Event()

    async def stream(self) -> None:
        async def send(message: Any) -> None:
            if b"session_id=" in message.get("body", b""):
                self.address = message["body"].decode().split("session_id=")[1].split()[0]
                self.opened.set()
            elif message.get("body"):
                await self.reads.wait()
                self.events += message["body"].count(b"event: message")

        async def receive() -> Any:
            await self.left.wait()
            return {"type": "http.disconnect"}

        await self.endpoint({"type": "http", "method": "GET", "path": "/sse", "headers": [], "query_string": b""}, receive, send)
        self.ended.set()

    async def post(self, **message: Any) -> int:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        status: list[int] = []

        async def send(message: Any) -> None:
            status.append(message.get("status", 0))

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        query = f"session_id={self.address}".encode()
        headers = [(b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/messages/", "headers": headers, "query_string": query}
        await self.endpoint.post(scope, receive, send)
        return status[0]


async def test_a_client_that_posts_and_never_reads_is_cut_off() -> None:
    client = Client()
    async with anyio.create_task_group() as group:
        group.start_soon(client.stream)
        await client.opened.wait()
        with anyio.fail_after(20):
            for number in range(REQUESTS):
                if client.ended.is_set() or await client.post(id=number, method="ping") != 202:
                    break
            await client.ended.wait()
            assert await client.post(id=0, method="ping") == 404


async def test_a_client_that_reads_gets_every_answer() -> None:
    client = Client()
    client.reads.set()
    async with anyio.create_task_group() as group:
        group.start_soon(client.stream)
        await client.opened.wait()
        with anyio.fail_after(20):
            for number in range(REQUESTS):
                assert await client.post(id=number, method="ping") == 202
            while client.events < REQUESTS:
                await anyio.lowlevel.checkpoint()
        client.left.set()
