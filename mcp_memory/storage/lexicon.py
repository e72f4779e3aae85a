"""Terms as FTS5 tokenises them, and in how many documents each occurs."""

import threading
from collections.abc import Sequence

from mcp_memory.storage.connection import open_scratch
from mcp_memory.storage.tables import Tables

_TOKENIZER = "porter unicode61 remove_diacritics 2"  # as in the schema
_MAX_KEPT = 50_000  # terms whose tokens are remembered: a few megabytes


class Lexicon:
    """Asks FTS5 itself how it would split and stem terms; the answers never change, so they are kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scratch = open_scratch()
        self._scratch.execute(f"CREATE VIRTUAL TABLE term_text USING fts5 (term, tokenize = '{_TOKENIZER}')")
        self._scratch.execute("CREATE VIRTUAL TABLE term_token USING fts5vocab (term_text, instance)")
        self._kept: dict[str, tuple[str, ...]] = {}

    def counts(self, tables: Tables, terms: Sequence[str]) -> list[int]:
        """Return in how many documents each term occurs; of a term of several tokens, the rarest decides."""
        counts = []
        for tokens in self.tokens(terms):
            found = [tables.value("term_count", token) or 0 for token in tokens]
            counts.append(min(found, default=0))
        return counts

    def tokens(self, terms: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the tokens of each term, in order. All unknown terms are asked for at once: one costs as much as ten."""
        with self._lock:
            if unknown := [t for t in dict.fromkeys(terms) if t not in self._kept]:
                if len(self._kept) > _MAX_KEPT:
                    self._kept.clear()
                    unknown = list(dict.fromkeys(terms))
                self._ask(unknown)
            return [self._kept[term] for term in terms]

    def _ask(self, terms: list[str]) -> None:
        try:
            self._scratch.executemany("INSERT INTO term_text (rowid, term) VALUES (?, ?)", list(enumerate(terms)))
            found: list[list[str]] = [[] for _ in terms]
            for row, token in self._scratch.execute('SELECT doc, term FROM term_token ORDER BY doc, "offset"'):
                found[row].append(token)
        finally:
            self._scratch.execute("DELETE FROM term_text")
        self._kept |= {term: tuple(tokens) for term, tokens in zip(terms, found, strict=True)}

    def close(self) -> None:
        """Release the scratch database."""
        self._scratch.close()
