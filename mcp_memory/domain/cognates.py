"""Words that European languages share but for their ends and a few letters: *Dokumentation*, *documentación*, *documentation*. Pure.

Memories are in English more often than not, and technical words are mostly Latin or English ones. A shared beginning is the plainest way to
meet them without a dictionary (compare the n-grams of McNamee and Mayfield, Information Retrieval 7, 2004).
"""

import unicodedata
from collections.abc import Iterable

from mcp_memory.domain.segmenting import is_unspaced

MIN_CHARS = 6  # of a word that has relatives: shorter ones begin like too much else
SHARED_CHARS = 5  # of a beginning; four, six and seven found the same or one less of 34 requests in German and Spanish


def beginnings(words: Iterable[str]) -> tuple[str, ...]:
    """Return what relatives of *words* begin with, each once; lower case in, no accents out.

    >>> beginnings(["dokumentation", "infinito", "número", "el", "10000000", "データベース"])
    ('dokum', 'docum', 'infin', 'numer')
    """
    plain = [folded for word in words if word.isalpha() and not is_unspaced(word) and len(folded := _folded(word)) >= MIN_CHARS]
    shared = (spelled[:SHARED_CHARS] for word in plain for spelled in (word, word.replace("k", "c")))
    return tuple(dict.fromkeys(shared))


def _folded(word: str) -> str:
    if word.isascii():
        return word
    return "".join(letter for letter in unicodedata.normalize("NFKD", word).replace("ß", "ss") if not unicodedata.combining(letter))
