"""Removing the bytes of what was deleted, a little at a time.

SQLite leaves deleted bytes in free pages, and FTS5 leaves deleted words in its segments until they are merged. After a deletion the
index is merged into one segment, in pieces that let other writers in between; then the log, which holds old pages, is emptied.
"""

from collections.abc import Callable
from contextlib import closing

from mcp_memory.storage.connection import Connection, begin
from mcp_memory.storage.fts_levels import STRUCTURE_ID, without_empty_levels

MERGE_PAGES = 500  # of the index a piece: some ten milliseconds
TEXT_TABLES = ("episode_text", "unfinished_text")


class Purge:
    """Work for the writer's thread. `want` starts it; a crash leaves the rest to the next deletion."""

    def __init__(self, open_connection: Callable[[], Connection]) -> None:
        self._open = open_connection
        self.pending = False  # whether there is anything to do
        self._wanted = False
        self._waiting: list[str] = []  # tables not merged yet
        self._begun = False  # with the last of them

    def want(self) -> None:
        """Purge what has been deleted by now; when a purge is under way, by another one after it."""
        self._wanted = self.pending = True

    def work(self, connection: Connection, deadline_ms: int) -> bool:
        """Do one piece and return whether there is more."""
        if not self._waiting:
            self._wanted, self._waiting = False, list(TEXT_TABLES)
        table = self._waiting[-1]
        if self._merge(connection, table, deadline_ms):
            return True
        self._waiting.pop()
        if _lowered(connection, table) is not None:
            self._lower(table, deadline_ms)
        if not self._waiting:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # as far as other processes let it
        self.pending = self._wanted or bool(self._waiting)
        return self.pending

    def _merge(self, connection: Connection, table: str, deadline_ms: int) -> bool:
        """Merge a piece and return whether there is more.

        A negative number begins a merge of all there is; only a positive one goes on with it. With negative ones alone a table that is
        written to all the time would be merged anew each time, and never be done.
        """
        pages = MERGE_PAGES if self._begun else -MERGE_PAGES
        begin(connection, deadline_ms)
        try:
            before = connection.total_changes
            connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (pages,))
            self._begun = connection.total_changes - before >= 2  # else nothing is left to merge: so says FTS5
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        return self._begun

    def _lower(self, table: str, deadline_ms: int) -> None:
        """Remove the empty levels that merging left. On a connection of its own: others keep the record until another one changes it."""
        with closing(self._open()) as connection:
            begin(connection, deadline_ms)
            record = _lowered(connection, table)
            if record is not None:
                connection.execute(f"UPDATE {table}_data SET block = ? WHERE id = ?", (record, STRUCTURE_ID))
            connection.execute("COMMIT")


def _lowered(connection: Connection, table: str) -> bytes | None:
    (record,) = connection.execute(f"SELECT block FROM {table}_data WHERE id = ?", (STRUCTURE_ID,)).fetchone()
    return without_empty_levels(record)
