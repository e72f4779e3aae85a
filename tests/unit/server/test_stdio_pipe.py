"""The stdio pipe begins only as many requests as it may hold answers for, and goes on as answers leave."""

import json
import os
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse

from mcp_memory.server import stdio_pipe
from mcp_memory.server.stdio_pipe import MAX_HELD, MAX_IN_FLIGHT, StdioPipe

pytestmark = pytest.mark.anyio


class Client:
    """The other ends of a pipe's two descriptors."""

    def __init__(self) -> None:
        in_fd, self._to_server = os.pipe()
        self.from_server, out_fd = os.pipe()
        self._fds = [in_fd, out_fd, self._to_server, self.from_server]
        self.pipe = StdioPipe(in_fd, out_fd, on_end=lambda: None, on_first_answer=lambda: None)

    def write(self, **message: Any) -> None:
        os.write(self._to_server, json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")

    def end(self) -> None:
        os.close(self._to_server)
        self._fds.remove(self._to_server)

    def close(self) -> None:
        self.pipe.stop()
        for fd in self._fds:
            os.close(fd)

    async def begun(self) -> list[Any]:
        """Return the messages handed out until no more come."""
        found = []
        while True:
            with anyio.move_on_after(0.2) as waited:
                found.append((await anext(self.pipe.reader)).message)  # type: ignore[union-attr]
            if waited.cancelled_caught:
                return found

    async def answer(self, request_id: int) -> None:
        await self.pipe.writer.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=request_id, result={})))


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


async def test_a_client_that_writes_and_never_reads_is_waited_for(client: Client) -> None:
    for number in range(500):
        client.write(id=number, method="ping")
    assert [message.id for message in await client.begun()] == list(range(MAX_IN_FLIGHT))
    await client.answer(3)
    await client.answer(4)
    assert [message.id for message in await client.begun()] == [MAX_IN_FLIGHT, MAX_IN_FLIGHT + 1]


async def test_the_same_id_again_and_again_is_no_way_around_the_bound(client: Client) -> None:
    for _ in range(500):
        client.write(id=7, method="ping")
    assert len(await client.begun()) == MAX_IN_FLIGHT


async def test_behind_a_full_pipe_answers_and_cancellations_of_the_client_still_come_through(client: Client) -> None:
    for number in range(MAX_IN_FLIGHT + MAX_HELD - 1):
        client.write(id=number, method="ping")
    client.write(id="asked", result={"action": "accept"})
    client.write(method="notifications/cancelled", params={"requestId": 5})
    begun = await client.begun()
    assert len(begun) == MAX_IN_FLIGHT + 2 + 1, "the cancellation made room for one more"
    assert begun[MAX_IN_FLIGHT].id == "asked"


async def test_what_is_waiting_in_bytes_is_bounded_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio_pipe, "MAX_WAITING_BYTES", 1_000)
    for number in range(MAX_IN_FLIGHT + MAX_HELD):
        client.write(id=number, method="ping")
    await client.begun()
    for number in range(400):
        client.write(id=1_000 + number, method="ping", params={"x": "y" * 50})
    await anyio.wait_all_tasks_blocked()
    assert client.pipe.reader._waiting_bytes < 300_000  # one chunk of the descriptor at most


async def test_at_the_end_of_input_what_was_held_is_begun_and_answered_first(client: Client) -> None:
    for number in range(MAX_IN_FLIGHT + 2):
        client.write(id=number, method="ping")
    client.end()
    assert len(await client.begun()) == MAX_IN_FLIGHT
    for number in range(MAX_IN_FLIGHT):
        await client.answer(number)
    assert [message.id for message in await client.begun()] == [MAX_IN_FLIGHT, MAX_IN_FLIGHT + 1]


async def test_answers_that_fill_the_pipe_are_read_whole_and_in_order_though_one_s_call_was_cancelled(client: Client) -> None:
    texts = [f"{number}" * (20_000 * number) for number in range(1, 6)]  # from the second on the pipe has not room for all of one

    async def send(text: str, scope: anyio.CancelScope) -> None:
        with scope:
            await client.pipe.writer.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": text})))

    scopes = [anyio.CancelScope() for _ in texts]
    read = bytearray()
    async with anyio.create_task_group() as group:
        for text, scope in zip(texts, scopes, strict=True):
            group.start_soon(send, text, scope)
            await anyio.wait_all_tasks_blocked()
        scopes[1].cancel()  # it had been begun
        while read.count(b"\n") < len(texts):
            read += await anyio.to_thread.run_sync(os.read, client.from_server, 1 << 16)
    assert [json.loads(line)["result"]["text"] for line in read.splitlines()] == texts


async def test_an_answer_of_some_pages_is_written_before_anything_else_runs_where_the_pipe_has_room(client: Client) -> None:
    sending = client.pipe.writer.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=1, result={"text": "x" * 30_000})))
    with pytest.raises(StopIteration):  # it waits for nothing
        sending.send(None)
    assert json.loads(os.read(client.from_server, 1 << 16))["result"]["text"] == "x" * 30_000
