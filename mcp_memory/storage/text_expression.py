"""A text query as FTS5 says it. Every word is quoted, so nothing of it can act as syntax."""

from collections.abc import Sequence

from mcp_memory.domain.query import TextQuery
from mcp_memory.domain.segmenting import is_letter

NOTHING = '""'  # matches no row


def expression(query: TextQuery) -> str | None:
    """Return the FTS5 expression of *query*; None when it asks for nothing.

    >>> expression(TextQuery(("fix", "parser"), ("io fits",)))
    '"fix" OR "parser" OR "io fits"'
    >>> expression(TextQuery(("infinito",), beginnings=("infin",)))
    '"infinito" OR "infin"*'
    """
    return joined(parts(query), every=query.every)


def parts(query: TextQuery) -> list[str]:
    """Return what *query* asks for, each as FTS5 says it."""
    words = [begun(term) if is_letter(term) else quoted(term) for term in query.terms]
    return words + [quoted(phrase) for phrase in query.phrases] + [begun(beginning) for beginning in query.beginnings]


def joined(found: Sequence[str], *, every: bool = False) -> str | None:
    """Return the expression of any of the parts, or of all of them; None of none."""
    return (" AND " if every else " OR ").join(found) or None


def begun(beginning: str) -> str:
    """Return *beginning* as FTS5 asks for all words that begin so."""
    return quoted(beginning) + "*"


def quoted(words: str) -> str:
    """Return *words* as an FTS5 string: a phrase of the words that are in it."""
    return '"' + words.replace('"', '""').replace("\0", " ") + '"'


def bm25(weights: Sequence[float]) -> str:
    """Return FTS5's own ranking function with a weight for each field; it sorts inside the index, faster than ORDER BY over rows."""
    return f"bm25({', '.join(repr(float(w)) for w in weights)})"
