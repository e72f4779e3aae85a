"""Full-text search for the in-memory store: FTS5 in a private in-memory database, so that expressions and ranks are the real ones."""

import sqlite3
import threading
from collections.abc import Sequence

from mcp_memory.errors import InvalidInput
from mcp_memory.ports import TEXT_WEIGHTS, IndexText

_TOKENIZER = "porter unicode61 remove_diacritics 2"


class TextIndex:
    """Texts by row number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._db.execute(f"CREATE VIRTUAL TABLE texts USING fts5 (task, steps, notes, surroundings, tokenize = '{_TOKENIZER}')")

    def put(self, row: int, text: IndexText) -> None:
        """Index *text* under *row*, in place of what was there."""
        with self._lock:
            self._db.execute("DELETE FROM texts WHERE rowid = ?", (row,))
            self._db.execute(
                "INSERT INTO texts (rowid, task, steps, notes, surroundings) VALUES (?, ?, ?, ?, ?)",
                (row, text.task, text.steps, text.notes, text.surroundings),
            )

    def remove(self, row: int) -> None:
        """Forget *row*."""
        with self._lock:
            self._db.execute("DELETE FROM texts WHERE rowid = ?", (row,))

    def search(self, match: str, weights: Sequence[float]) -> list[tuple[int, float]]:
        """Return every matching row with its score, best first."""
        rank = f"bm25({', '.join(repr(float(w)) for w in weights)})"
        with self._lock:
            try:
                rows = self._db.execute("SELECT rowid, rank FROM texts WHERE texts MATCH ? AND rank MATCH ? ORDER BY rank", (match, rank))
                return [(row, -score) for row, score in rows]
            except sqlite3.OperationalError as error:
                raise InvalidInput(f"not a full-text expression: {match[:200]!r}") from error

    def counts(self, terms: Sequence[str]) -> list[int]:
        """Return in how many rows each term occurs."""
        phrases = ['"' + term.replace('"', '""').replace("\0", " ") + '"' for term in terms]
        return [len(self.search(phrase, TEXT_WEIGHTS)) for phrase in phrases]

    def close(self) -> None:
        """Release the database."""
        self._db.close()
