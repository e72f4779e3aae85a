"""Removing the bytes of what was deleted, a little at a time.

SQLite leaves deleted bytes in free pages, and FTS5 leaves deleted words in its segments until they are merged. After a deletion the
index is merged into one segment, in pieces that let other writers in between; then the log, which holds old pages, is emptied.
"""

from mcp_memory.storage.connection import Connection, begin

MERGE_PAGES = 500  # of the index a piece: some ten milliseconds
_TABLES = ("episode_text", "unfinished_text")


class Purge:
    """Work for the writer's thread. Setting `wanted` starts it anew; a crash leaves the rest to the next deletion."""

    def __init__(self) -> None:
        self.wanted = False
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
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # as far as other processes let it
        return False
