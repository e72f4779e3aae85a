"""Removing the bytes of what was deleted, a little at a time.

SQLite leaves deleted bytes in free pages, and FTS5 leaves deleted words in its segments until they are merged. After a deletion the
index is merged into one segment, in pieces that let other writers in between; then the log, which holds old pages, is emptied.
"""

from collections.abc import Callable
from contextlib import closing

from mcp_memory.storage.connection import Connection, begin
from mcp_memory.storage.fts_levels import STRUCTURE_ID, without_empty_levels

MERGE_PAGES = 500  # of the index a piece: some ten milliseconds
_TABLES = ("episode_text", "unfinished_text")


class Purge:
    """Work for the writer's thread. Setting `wanted` starts it anew; a crash leaves the rest to the next deletion."""

    def __init__(self, open_connection: Callable[[], Connection]) -> None:
        self.wanted = False
        self._open = open_connection
        self._waiting: list[str] = []

    def work(self, connection: Connection, deadline_ms: int) -> bool:
        """Do one piece and return whether there is more."""
        if not self._waiting:
            self._waiting = list(_TABLES)
        table = self._waiting[-1]
        begin(connection, deadline_ms)
        try:
            before = connection.total_changes
            connection.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (-MERGE_PAGES,))
            if connection.total_changes - before < 2:  # how FTS5 says that nothing is left to merge
                self._waiting.pop()
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        if self._waiting:
            return True
        self.wanted = False
        for table in _TABLES:
            if _lowered(connection, table) is not None:
                self._lower(table, deadline_ms)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # as far as other processes let it
        return False

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
