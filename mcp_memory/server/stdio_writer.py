"""The write end of the stdio transport: a message a line, written whole and in turn."""

import os
import select
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.to_thread
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage

_SURE_BYTES = getattr(select, "PIPE_BUF", 512)  # POSIX: a pipe that polls writable takes this much without blocking
_AT_ONCE_BYTES = 64 * 1024  # of one message: a reader that keeps up with a longer one would hold up the event loop


class StdioWriter:
    """The SDK's write stream. What the pipe has room for is written at once, the rest in a thread."""

    def __init__(self, fd: int, *, on_sent: Callable[[JSONRPCMessage], None], on_gone: Callable[[], None]) -> None:
        """*on_gone* is called when nobody reads any longer."""
        self._fd, self._on_sent, self._on_gone = fd, on_sent, on_gone
        self._turn = anyio.Lock()
        self._closed = False
        self._poll: Any = None
        if hasattr(select, "poll"):
            self._poll = select.poll()
            self._poll.register(fd, select.POLLOUT)

    async def send(self, item: SessionMessage) -> None:
        if self._closed:
            raise anyio.ClosedResourceError
        data = item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n"
        try:
            if rest := self._left_of(data):
                await self._write_in_turn(rest, begun=len(rest) < len(data))
        except OSError as error:
            self._closed = True
            self._on_gone()
            raise anyio.BrokenResourceError from error
        self._on_sent(item.message)

    def _left_of(self, data: bytes) -> memoryview:
        """Write what can be written of *data* without blocking, or overtaking another message; return the rest."""
        rest = memoryview(data)
        if self._poll is None or self._turn.locked() or len(data) > _AT_ONCE_BYTES:
            return rest
        while rest:
            ready = self._poll.poll(0)
            if not ready or ready[0][1] != select.POLLOUT:
                break
            rest = rest[os.write(self._fd, rest[:_SURE_BYTES]) :]
        return rest

    async def _write_in_turn(self, rest: memoryview, *, begun: bool) -> None:
        """Write in a thread; what is *begun* goes before all others, and to its end whether its call is cancelled or not."""
        if not begun:
            async with self._turn:
                await anyio.to_thread.run_sync(_write_all, self._fd, rest)
            return
        self._turn.acquire_nowait()
        try:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_write_all, self._fd, rest)
        finally:
            self._turn.release()

    async def aclose(self) -> None:
        self._closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> bool | None:
        await self.aclose()
        return None


def _write_all(fd: int, rest: memoryview) -> None:
    while rest:
        rest = rest[os.write(fd, rest) :]
