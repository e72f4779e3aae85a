"""When nothing in memory is close enough to be worth reading. Pure; figures on the development split: docs/design.md.

Unrelated requests have a nearest task at a cosine of .26 (median) and .34 (p90), paraphrases of a task in memory .70 and .53 (p10). A
request that quotes what an episode says (an error, a path) is close by its rare words instead. Only whole answers are withheld: the best
match of a long request can have a cosine of .1, beside candidates that are nearer.
"""

import math

import numpy as np

from mcp_memory.domain.languages import MULTILINGUAL_SPACE, is_foreign
from mcp_memory.domain.text_words import words
from mcp_memory.retrieval.text_query import MAX_TERMS

CLOSE_COSINE, CLOSE_COVERAGE = 0.38, 0.26  # either makes an answer
USUAL_TERMS = 12  # of a request; of a longer one a smaller share is as telling: shares found by chance shrink with the root of the number
# Of other languages than English the local model sees the names and identifiers alone, and so do the words. The multilingual one has a
# scale of its own: unrelated requests at .32 (median) and .40 (p90), tasks in memory asked for in another language at .58 and .37 (p10).
FOREIGN_COSINE, FOREIGN_COVERAGE = 0.15, 0.03
MULTILINGUAL_COSINE = 0.33


def close(text: str, cosines: np.ndarray, coverage: np.ndarray, space: str | None = None) -> np.ndarray:
    """Return which candidates make the answer to *text* worth giving; all where there are no cosines, of that space, to tell by (NaN)."""
    foreign, terms = is_foreign(text), min(MAX_TERMS, len(words(text)))
    enough = FOREIGN_COVERAGE if foreign else CLOSE_COVERAGE * math.sqrt(USUAL_TERMS / max(terms, USUAL_TERMS))
    least = MULTILINGUAL_COSINE if space == MULTILINGUAL_SPACE else FOREIGN_COSINE if foreign else CLOSE_COSINE
    by_meaning = cosines >= least
    found: np.ndarray = by_meaning | (coverage >= enough) | np.isnan(cosines)
    return found
