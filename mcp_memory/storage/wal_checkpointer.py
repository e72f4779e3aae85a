"""Moves committed pages from the write-ahead log into the file, in a thread and on a connection of its own.

A checkpoint writes and syncs megabytes, tens of milliseconds at a time. In the writer's thread the next caller would wait for it; a
passive checkpoint beside it blocks neither readers nor the writer. Closing or dying before one costs nothing: the log is the truth too.
"""

import logging
import threading
from collections.abc import Callable

from mcp_memory.storage.connection import Connection, DriverError, checkpoint_wal

CHANGES_EACH = 2_000  # changed rows, at most a page each: some eight megabytes of log
COMMITS_EACH = 128  # of few rows: a commit of one step logs about four pages
logger = logging.getLogger(__name__)


class WalCheckpointer:
    """Counts what the writer commits and checkpoints when it is enough. `note` is for the writer's thread only."""

    def __init__(self, open_connection: Callable[[], Connection]) -> None:
        self._open = open_connection
        self._bell, self._closed = threading.Event(), False
        self._commits = self._changes = 0
        self._thread = threading.Thread(
            target=self._run, name="memory-wal-checkpointer", daemon=True
        )  # must not keep a dying process alive
        self._thread.start()

    def note(self, total_changes: int) -> None:
        """Say that a batch was committed; *total_changes* is the writing connection's own count."""
        self._commits += 1
        if total_changes - self._changes >= CHANGES_EACH or self._commits >= COMMITS_EACH:
            self._commits, self._changes = 0, total_changes
            self._bell.set()

    def close(self) -> None:
        """End the thread; a checkpoint under way is finished."""
        self._closed = True
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        connection: Connection | None = None
        try:
            while True:
                self._bell.wait()
                self._bell.clear()
                if self._closed:
                    return
                connection = connection or self._open()
                checkpoint_wal(connection)
        except DriverError as error:  # SQLite's own checkpoint inside a commit takes over
            logger.warning("WAL checkpoints: %s", error)
        finally:
            if connection is not None:
                connection.close()
