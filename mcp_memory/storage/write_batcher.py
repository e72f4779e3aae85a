"""Group commit: many callers, one transaction, each its own answer.

A batch is what waits while the last one commits, so a lone caller waits for nobody and a crowd shares one fsync. A write is a
function of the connection; it may run more than once, and must depend only on its arguments and the database.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mcp_memory.errors import InternalError, McpMemoryError, Overloaded, StoreUnavailable
from mcp_memory.metrics import Metrics
from mcp_memory.storage.connection import Connection, DriverError, begin, translate

T = TypeVar("T")
Write = Callable[[Connection], T]
CLOSE_UPKEEP_S = 2.0  # how long closing may take to finish what `after_batch` began
logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A write, who waits for it, and what became of it."""

    write: Write[Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    queued_s: float
    result: Any = None
    error: BaseException | None = None


class _Spoiled(Exception):
    """The transaction as a whole is lost (disk full, I/O error), not only one write of it."""


class WriteBatcher:
    """One thread that owns the writing connection. Use from any asyncio loop.

    `before_answer` runs in that thread after each commit and before the callers hear of it: what it raises is their answer instead.
    `after_batch` runs there when the callers have their answers; while it returns True it is called again, between batches.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        max_queue_size: int,
        max_batch_size: int,
        busy_deadline_ms: int,
        metrics: Metrics,
        before_answer: Callable[[], None],
        after_batch: Callable[[Connection], bool],
    ) -> None:
        self._connection, self._metrics, self._before_answer, self._after_batch = connection, metrics, before_answer, after_batch
        self._max_queue_size, self._max_batch_size, self._busy_deadline_ms = max_queue_size, max_batch_size, busy_deadline_ms
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # orders "is it closed?" before "queue it"
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="memory-writer", daemon=True)  # must not keep a dying process alive
        self._thread.start()

    @property
    def depth(self) -> int:
        """Writes waiting for a transaction."""
        return self._queue.qsize()

    async def run(self, write: Write[T]) -> T:
        """Run *write* inside a transaction and return its answer after the commit.

        Raises:
            Overloaded: The queue is full; nothing was written.
            StoreUnavailable: Closed, or the database could not be written; nothing was written.
            InternalError: *write* met a programming error, which is in the log with its traceback; nothing of it was written.
            McpMemoryError: Whatever *write* raised; its own changes were rolled back, its neighbours' were not.

        Durability: committed when the call returns.
        Cancellation: once queued, it is written even if the caller stops waiting.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(write, loop, loop.create_future(), time.perf_counter())
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._queue.qsize() >= self._max_queue_size:
                self._metrics.count("writes_refused")
                raise Overloaded
            self._queue.put(waiting)
        with self._metrics.timed("store_write"):
            result: T = await waiting.future
        return result

    async def aclose(self) -> None:
        """Write what is queued, then end the thread. Twice is fine."""
        with self._lock:
            first, self._closed = not self._closed, True
            if first:
                self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        open_, more_to_do = True, False
        while open_:
            batch, open_ = self._take(wait=not more_to_do)
            if batch:
                self._serve(batch)
            more_to_do = self._upkeep()
        until = time.monotonic() + CLOSE_UPKEEP_S
        while more_to_do and time.monotonic() < until:
            more_to_do = self._upkeep()

    def _upkeep(self) -> bool:
        try:
            return self._after_batch(self._connection)
        except DriverError as error:
            logger.warning("upkeep: %s", error)
            return False

    def _serve(self, batch: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        try:
            self._before_answer()  # before it as well: what cannot be kept need not be written
            self._commit(batch)
            self._before_answer()
        except BaseException as error:  # the thread must outlive any failure: every later write would hang
            for waiting in batch:
                waiting.error = waiting.error or error
        self._metrics.observe("durable_commit", (time.perf_counter() - started) * 1000)
        self._metrics.observe("write_queue_wait", (started - batch[0].queued_s) * 1000)
        self._metrics.count("commits")
        self._metrics.count("writes", len(batch))
        for waiting in batch:
            if waiting.error is not None:
                waiting.error = _ours(waiting.error)
        _answer(batch)

    def _take(self, *, wait: bool) -> tuple[list[_Waiting], bool]:
        """Return the writes that wait now (with *wait*, at least one unless the queue was closed), and whether it is still open."""
        batch: list[_Waiting] = []
        while len(batch) < self._max_batch_size:
            try:
                waiting = self._queue.get(block=wait and not batch)
            except queue.Empty:
                break
            if waiting is None:
                return batch, False
            batch.append(waiting)
        return batch, True

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Run *batch* in one transaction; where that is lost as a whole, run each write in one of its own."""
        try:
            self._transaction(batch)
        except _Spoiled as spoiled:
            if len(batch) == 1:
                batch[0].error = spoiled.__cause__
                return
            for waiting in batch:
                waiting.result = waiting.error = None
                self._commit([waiting])

    def _transaction(self, batch: Sequence[_Waiting]) -> None:
        connection = self._connection
        try:
            begin(connection, self._busy_deadline_ms)
        except DriverError as error:
            for waiting in batch:  # the deadline is spent: trying each alone would multiply it
                waiting.error = error
            return
        try:
            for waiting in batch:
                self._one(waiting, shared=len(batch) > 1)
            if connection.in_transaction:
                connection.execute("COMMIT")
        except DriverError as error:
            raise _Spoiled from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _one(self, waiting: _Waiting, *, shared: bool) -> None:
        """Run one write; a failure undoes that write only. Raises _Spoiled when it took its neighbours' transaction with it."""
        connection = self._connection
        if shared:
            connection.execute("SAVEPOINT one")
        try:
            waiting.result = waiting.write(connection)
        except Exception as error:
            waiting.error = error
            if not shared:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                return
            if not connection.in_transaction:  # SQLite rolled all of it back, as it does when the disk is full
                raise _Spoiled from error
            connection.execute("ROLLBACK TO one")
        if shared:
            connection.execute("RELEASE one")


def _ours(error: BaseException) -> McpMemoryError:
    """Return *error* as one of ours; a programming error goes to the log, for nobody else will see its traceback."""
    if isinstance(error, McpMemoryError):
        return error
    ours = translate(error)
    if ours is None:
        logger.error("a write met a programming error", exc_info=error)
        ours = InternalError(f"the write failed ({type(error).__name__})")
    ours.__cause__ = error
    return ours


def _answer(batch: Sequence[_Waiting]) -> None:
    """Wake the callers, one call per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in batch:
        by_loop.setdefault(waiting.loop, []).append(waiting)
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver, theirs)
        except RuntimeError:  # the loop is closed: nobody waits any more, and what was accepted is written
            logger.debug("%d answers had no event loop to go to", len(theirs))


def _deliver(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if waiting.future.done():  # the caller stopped waiting
            continue
        if waiting.error is None:
            waiting.future.set_result(waiting.result)
        else:
            waiting.future.set_exception(waiting.error)
