"""Readers for any number of threads, each its own for the length of a `with` block."""

from collections import deque
from collections.abc import Callable
from types import TracebackType

from mcp_memory.errors import StoreUnavailable
from mcp_memory.storage.connection import Connection, translate

MAX_IDLE_READERS = 8


class Lease:
    """One reader, taken for the length of a `with` block; errors come out as ours."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: "ReadPool") -> None:
        self._pool = pool

    def __enter__(self) -> Connection:
        self._connection = self._pool._take()
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool._give(self._connection)
        if error is not None and (ours := translate(error)) is not None:
            raise ours from error


class ReadPool:
    """Readers for any number of threads: the last one returned is the next one taken, so its page cache is warm."""

    def __init__(self, open_one: Callable[[], Connection]) -> None:
        self._open_one = open_one
        self._idle: deque[Connection] = deque()  # append and pop are atomic
        self._closed = False

    def reader(self) -> Lease:
        """Return a context whose value is a connection of this thread's own for the while."""
        return Lease(self)

    def _take(self) -> Connection:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        try:
            return self._idle.pop()
        except IndexError:
            return self._open_one()

    def _give(self, connection: Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if self._closed or len(self._idle) >= MAX_IDLE_READERS:
            connection.close()
        else:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the idle readers; one in use is closed when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
