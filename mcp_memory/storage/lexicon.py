"""Terms as FTS5 tokenises them, and in how many documents each occurs."""

import threading
from functools import lru_cache

from mcp_memory.storage.connection import open_scratch
from mcp_memory.storage.tables import Tables

_TOKENIZER = "porter unicode61 remove_diacritics 2"  # as in the schema


class Lexicon:
    """Asks FTS5 itself how it would split and stem a term; the answers never change, so they are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scratch = open_scratch()
        self._scratch.execute(f"CREATE VIRTUAL TABLE term_text USING fts5 (term, tokenize = '{_TOKENIZER}')")
        self._scratch.execute("CREATE VIRTUAL TABLE term_token USING fts5vocab (term_text, instance)")
        self.tokens = lru_cache(maxsize=50_000)(self._tokens)

    def counts(self, tables: Tables, terms: list[str]) -> list[int]:
        """Return in how many documents each term occurs; of a term of several tokens, the rarest decides."""
        counts = []
        for term in terms:
            found = [tables.value("term_count", token) or 0 for token in self.tokens(term)]
            counts.append(min(found, default=0))
        return counts

    def _tokens(self, term: str) -> tuple[str, ...]:
        with self._lock:
            self._scratch.execute("INSERT INTO term_text (term) VALUES (?)", (term,))
            try:
                return tuple(row[0] for row in self._scratch.execute('SELECT term FROM term_token ORDER BY "offset"'))
            finally:
                self._scratch.execute("DELETE FROM term_text")

    def close(self) -> None:
        """Release the scratch database."""
        self._scratch.close()
