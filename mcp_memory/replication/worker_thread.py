"""Blocking calls off the event loop, in a thread that does not keep a dying process alive: a server may hang until its time-out."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class WorkerThread:
    """One thread; calls take turns. Start it by calling, end it with `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run *work* there. A caller that goes away does not wait for it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def call() -> None:
            try:
                answer: Callable[[], Any] = _settled(future, work())
            except Exception as error:
                answer = _failed(future, error)
            try:
                loop.call_soon_threadsafe(answer)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

        self._queue.put(call)
        return await future

    def close(self, last: Callable[[], None]) -> None:
        """Let the thread end after what it does now, with *last*; without a thread that is done here."""
        if self._thread is None:
            last()
        else:
            self._queue.put(last)
            self._queue.put(None)

    def _serve(self) -> None:
        while (call := self._queue.get()) is not None:
            call()


def _settled(future: "asyncio.Future[T]", result: T) -> Callable[[], None]:
    return lambda: None if future.done() else future.set_result(result)


def _failed(future: "asyncio.Future[T]", error: Exception) -> Callable[[], None]:
    return lambda: None if future.done() else future.set_exception(error)
