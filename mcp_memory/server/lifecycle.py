"""One memory per process, opened after the handshake; and when a process must end.

Opening imports numpy, the model and the database layer, which costs more than the whole handshake. So it happens in the background, after
the first answer is on its way; a tool call waits for it.
"""

import asyncio
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from mcp_memory.config import Config
from mcp_memory.errors import StoreUnavailable

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

Opener = Callable[[Config], AbstractAsyncContextManager["EpisodicMemory"]]

PARENT_POLL_S = 1.0
logger = logging.getLogger(__name__)


class MemoryHost:
    """Opens the memory once, on demand, and hands it to every connection of the process."""

    def __init__(self, config: Config, opener: Opener | None = None) -> None:
        """*opener* is for tests; None means `bootstrap.open_memory`."""
        self.config = config
        self._opener = opener
        self._memory: EpisodicMemory | None = None
        self._failure: Exception | None = None
        self._wanted, self._settled = anyio.Event(), anyio.Event()
        self._closing, self._closed = anyio.Event(), anyio.Event()
        self._on_open: list[Callable[[EpisodicMemory], None]] = []

    @property
    def state(self) -> str:
        """`ready`, `opening` (or not begun) or `failed`."""
        if self._memory is not None:
            return "ready"
        return "failed" if self._failure is not None and not self._wanted.is_set() else "opening"

    def begin(self) -> None:
        """Start opening, if that has not begun."""
        self._wanted.set()

    async def aclose(self) -> None:
        """Let `keep_open` close the memory; return when it has."""
        self._closing.set()
        self._wanted.set()
        await self._closed.wait()

    def on_open(self, call: Callable[["EpisodicMemory"], None]) -> None:
        """Call *call* with the memory once it is open."""
        self._on_open.append(call)

    async def memory(self) -> "EpisodicMemory":
        """Return the open memory; wait for it if need be.

        Raises:
            McpMemoryError: It cannot be opened. The next call tries again.
        """
        if self._memory is not None:
            return self._memory
        self.begin()
        await self._settled.wait()
        if self._memory is None:
            raise self._failure or StoreUnavailable("the server is shutting down")
        return self._memory

    async def keep_open(self) -> None:
        """Open the memory when it is wanted, keep it until `close`, close it. Runs in one task, as its task groups need."""
        while not self._closing.is_set():
            await self._wanted.wait()
            if self._closing.is_set():
                break
            try:
                await self._open_and_wait()
            except Exception as error:
                self._failed(error)
        self._settled.set()
        self._closed.set()

    async def _open_and_wait(self) -> None:
        opener = await anyio.to_thread.run_sync(_default_opener) if self._opener is None else self._opener
        async with opener(self.config) as memory:
            for call in self._on_open:
                call(memory)
            self._memory = memory
            self._settled.set()
            await self._closing.wait()
            self._memory = None

    def _failed(self, error: Exception) -> None:
        """Tell those who wait; be ready for another try."""
        cause = _single(error)
        logger.error("the memory in %s cannot be used: %s", self.config.data_dir, cause, exc_info=cause)
        self._memory, self._failure = None, cause
        settled, self._settled = self._settled, anyio.Event()
        if not self._closing.is_set():
            self._wanted = anyio.Event()
        settled.set()


def _default_opener() -> Opener:
    # Named, not imported: the server must not pull in what it opens before it has answered the handshake.
    opener: Opener = importlib.import_module("mcp_memory.bootstrap").open_memory
    return opener


def _single(error: Exception) -> Exception:
    """Return the one error a task group wrapped, or the group."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


async def parent_gone(parent: int, poll_s: float = PARENT_POLL_S) -> None:
    """Return when *parent*, which started this process, has ended. Never on Windows, where a closed stdin is the only sign."""
    if sys.platform == "win32":
        await anyio.sleep_forever()
    while os.getppid() == parent:  # noqa: ASYNC110  (nothing tells a process that its parent ended)
        await anyio.sleep(poll_s)
    logger.warning("the parent process %d is gone; ending", parent)


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """End the process if the block takes longer than *seconds*. What was acknowledged is committed, so nothing is lost by it."""
    timer = exit_in(seconds)
    try:
        yield
    finally:
        timer.cancel()


def exit_in(seconds: float) -> threading.Timer:
    """End the process in *seconds*, unless the timer is cancelled."""
    timer = threading.Timer(seconds, os._exit, [0])
    timer.daemon = True
    timer.start()
    return timer


@contextmanager
def on_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call *act* in the event loop on SIGINT and SIGTERM, while the block runs."""
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGINT, signal.SIGTERM)
    if sys.platform == "win32":  # no signal handlers on its event loop
        before = {item: signal.signal(item, lambda *_: loop.call_soon_threadsafe(act)) for item in wanted}
    else:
        for item in wanted:
            loop.add_signal_handler(item, act)
    try:
        yield
    finally:
        for item in wanted:
            if sys.platform == "win32":
                signal.signal(item, before[item])
            else:
                loop.remove_signal_handler(item)
