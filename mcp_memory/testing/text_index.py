"""Full-text search for the in-memory store: FTS5 in a private in-memory database, so that words and weights mean what they really do."""

import sqlite3
import threading
from collections.abc import Sequence

from mcp_memory.domain.query import TEXT_WEIGHTS, TextQuery
from mcp_memory.domain.segmenting import indexed_words, is_letter
from mcp_memory.ports import IndexText

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
                (row, *map(indexed_words, (text.task, text.steps, text.notes, text.surroundings))),
            )

    def remove(self, row: int) -> None:
        """Forget *row*."""
        with self._lock:
            self._db.execute("DELETE FROM texts WHERE rowid = ?", (row,))

    def search(self, query: TextQuery) -> list[tuple[int, float]]:
        """Return every row that is found with its score, best first: the sum of what each term and phrase brings by itself."""
        found = [self._holding(words, query.weights, begun=is_letter(words)) for words in query.terms + query.phrases]
        found += [self._holding(beginning, query.weights, begun=True) for beginning in query.beginnings]
        rows = set[int]().union(*found) if not query.every else set(found[0]).intersection(*found) if found else set[int]()
        scores = {row: sum(each.get(row, 0.0) for each in found) for row in rows}
        return sorted(scores.items(), key=lambda item: (-item[1], item[0]))

    def counts(self, terms: Sequence[str], *, beginnings: bool = False) -> list[int]:
        """Return in how many rows each term occurs, or what begins so."""
        return [len(self._holding(term, TEXT_WEIGHTS, begun=beginnings)) for term in terms]

    def _holding(self, words: str, weights: Sequence[float], *, begun: bool) -> dict[int, float]:
        """Return the rows that hold the words in a row, with their scores; the last of *begun* words may go on."""
        match = '"' + words.replace('"', '""').replace("\0", " ") + '"' + ("*" if begun else "")
        rank = f"bm25({', '.join(repr(float(w)) for w in weights)})"
        with self._lock:
            rows = self._db.execute("SELECT rowid, rank FROM texts WHERE texts MATCH ? AND rank MATCH ?", (match, rank))
            return {row: -score for row, score in rows}

    def close(self) -> None:
        """Release the database."""
        self._db.close()
