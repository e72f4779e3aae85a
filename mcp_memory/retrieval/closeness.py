"""When nothing in memory is close enough to be worth reading. Pure; figures on the development split: docs/design.md.

Unrelated requests have a nearest task at a cosine of .26 (median) and .34 (p90), paraphrases of a task in memory .70 and .53 (p10). A
request that quotes what an episode says (an error, a path) is close by its rare words instead. Only whole answers are withheld: the best
match of a long request can have a cosine of .1, beside candidates that are nearer.
"""

import math

import numpy as np

from mcp_memory.domain.text_words import STOP_WORDS, all_words, words
from mcp_memory.retrieval.text_query import MAX_TERMS

CLOSE_COSINE, CLOSE_COVERAGE = 0.38, 0.26  # either makes an answer
USUAL_TERMS = 12  # of a request; of a longer one a smaller share is as telling: shares found by chance shrink with the root of the number
# The local model reads English. Of other languages it sees the names and identifiers alone, and so do the words.
FOREIGN_COSINE, FOREIGN_COVERAGE = 0.15, 0.03
ENGLISH_SHARE, LEAST_SHARE = 0.2, 0.06  # function words among the words of English text: usually at least, and of ten words or more
LONG_WORDS = 10


def is_foreign(text: str) -> bool:
    """Return whether *text* is in another language than English: few English function words, and letters beyond ASCII or many words.

    >>> is_foreign("Die Zahlenformatierung stürzt ab"), is_foreign("禁止在查询中使用"), is_foreign("Where is the café of my hotel?")
    (True, True, False)
    """
    found = all_words(text)
    share = sum(w in STOP_WORDS for w in found) / max(1, len(found))
    if all(w.isascii() for w in found):
        return len(found) >= LONG_WORDS and share < LEAST_SHARE
    return share < ENGLISH_SHARE


def close(text: str, cosines: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Return which candidates make the answer to *text* worth giving; all of them where there are no cosines to tell by (NaN)."""
    foreign, terms = is_foreign(text), min(MAX_TERMS, len(words(text)))
    enough = FOREIGN_COVERAGE if foreign else CLOSE_COVERAGE * math.sqrt(USUAL_TERMS / max(terms, USUAL_TERMS))
    by_meaning = cosines >= (FOREIGN_COSINE if foreign else CLOSE_COSINE)
    found: np.ndarray = by_meaning | (coverage >= enough) | np.isnan(cosines)
    return found
