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


class StdioWriter:
    """The SDK's write stream. Small messages are written at once where the pipe has room, others in a thread."""

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
            if self._goes_at_once(data):
                os.write(self._fd, data)
            else:
                async with self._turn:
                    await anyio.to_thread.run_sync(_write_all, self._fd, data)
        except OSError as error:
            self._closed = True
            self._on_gone()
            raise anyio.BrokenResourceError from error
        self._on_sent(item.message)

    def _goes_at_once(self, data: bytes) -> bool:
        """Whether a write of *data* neither blocks nor overtakes another."""
        if self._poll is None or len(data) > _SURE_BYTES or self._turn.locked():
            return False
        ready = self._poll.poll(0)
        return bool(ready) and ready[0][1] == select.POLLOUT

    async def aclose(self) -> None:
        self._closed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> bool | None:
        await self.aclose()
        return None


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
