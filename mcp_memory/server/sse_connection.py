"""One connection of the older HTTP transport: a stream of events out, posted messages in, and a bound on what may wait between them."""

import contextvars
import logging
from typing import Any, Self

import anyio
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse
from starlette.types import Message, Receive, Scope, Send

MAX_IN_FLIGHT = 128  # requests taken whose answers are not written yet; then the connection waits
STALLED_S = 30.0  # for an answer to leave; then it ends
logger = logging.getLogger(__name__)


class SseEndpoint:
    """Serves `GET /sse`. A client that posts and never reads its stream is cut off."""

    def __init__(self, server: Server[None], transport: SseServerTransport, stalled_s: float = STALLED_S) -> None:
        self._server, self._transport, self._stalled_s = server, transport, stalled_s

    async def post(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a posted message."""
        try:
            await self._transport.handle_post_message(scope, receive, send)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            logger.debug("a message was posted to an SSE connection that has ended")  # it was answered 202 before it was handed over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        full = anyio.Event()
        async with self._transport.connect_sse(scope, _until(full, receive), send) as (reader, writer):
            bounded = _Bounded(reader, writer, full, self._stalled_s)
            await self._server.run(bounded, _Counting(bounded), self._server.create_initialization_options())
        if full.is_set():
            logger.warning("an SSE connection was ended: %d answers waited and none was read", MAX_IN_FLIGHT)


def _until(full: anyio.Event, receive: Receive) -> Receive:
    """Return *receive*, which says that the client has gone once *full* is set: the SDK then closes what it has opened."""

    async def received() -> Message:
        message: Message = {"type": "http.disconnect"}

        async def of_client() -> None:
            nonlocal message
            message = await receive()
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(of_client)
            await full.wait()
            group.cancel_scope.cancel()
        return message

    return received


class _Stream:
    """One of the SDK's streams, that ends with it."""

    _inner: Any

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> bool | None:
        handled: bool | None = await self._inner.__aexit__(*error)
        return handled


class _Bounded(_Stream):
    """The SDK's read stream, that ends the connection when too many answers wait."""

    def __init__(self, inner: Any, writer: Any, full: anyio.Event, stalled_s: float) -> None:
        self._inner, self.writer, self._full, self._stalled_s = inner, writer, full, stalled_s
        self._room = anyio.Event()
        self._in_flight = 0

    @property
    def last_context(self) -> contextvars.Context | None:
        """The context that the last message was posted in: who is asking."""
        context: contextvars.Context | None = self._inner.last_context
        return context

    async def receive(self) -> SessionMessage | Exception:
        return await self._counted(await self._inner.receive())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        return await self._counted(await anext(self._inner))

    def answered(self) -> None:
        """Note an answer that has left."""
        self._in_flight -= 1
        self._room.set()

    async def _counted(self, item: Any) -> SessionMessage | Exception:
        if isinstance(item, SessionMessage) and isinstance(item.message, JSONRPCRequest):
            self._in_flight += 1
            while self._in_flight > MAX_IN_FLIGHT:
                self._room = anyio.Event()
                with anyio.move_on_after(self._stalled_s) as waited:
                    await self._room.wait()
                if waited.cancelled_caught:
                    self._full.set()
                    break
        found: SessionMessage | Exception = item
        return found


class _Counting(_Stream):
    """The SDK's write stream, that counts the answers written."""

    def __init__(self, bounded: _Bounded) -> None:
        self._bounded, self._inner = bounded, bounded.writer

    async def send(self, item: SessionMessage) -> None:
        await self._inner.send(item)
        if isinstance(item.message, JSONRPCResponse | JSONRPCError):
            self._bounded.answered()
