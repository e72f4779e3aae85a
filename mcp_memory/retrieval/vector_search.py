"""The semantic half of the retriever: the nearest in a space, and how alike candidates are."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.languages import MULTILINGUAL_SPACE
from mcp_memory.domain.query import Query
from mcp_memory.views.view import View

NEAREST = 208  # of one vector search: enough for the candidates and for the neighbours that advice rests on
SENTENCE_SHARE = 0.5  # of the semantic score: the nearest sentence of a request of several
SENTENCE_CANDIDATES = 4  # a sentence brings a quarter of the candidates that the whole text brings
KEPT_SEARCHES = 64
NEARLY_ALL = 0.9  # of the episodes in the multilingual space: then it finds more in other languages than the English one
Vectors = Mapping[str, np.ndarray]  # per space, those of a query's texts, float32 (n, dimension)


class VectorSearch:
    """Searches the vectors of the catalog's episodes. Its memory of earlier searches is used while reading only."""

    def __init__(self) -> None:
        self._searched: BoundedMap[Hashable, tuple[np.ndarray, np.ndarray]] = BoundedMap(KEPT_SEARCHES)

    def candidates(self, v: View, query: Query, space: str, vectors: Vectors, wanted: int) -> list[int]:
        """Return the row numbers nearest to the query and, fewer of them, to each of its sentences."""
        found: dict[int, None] = {}
        for row, vector in enumerate(np.atleast_2d(vectors[space])):
            nearest, _ = self.nearest(v, query, space, vector, wanted if row == 0 else wanted // SENTENCE_CANDIDATES)
            found |= dict.fromkeys(nearest.tolist())
        return list(found)

    def nearest(self, v: View, query: Query, space: str, vector: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k nearest episodes and their cosines. One search serves the ranking and the neighbours of the same query."""
        reach = k if k <= NEAREST // 4 else max(k, NEAREST)  # a few neighbours for a completion; all for a recall
        key = (space, vector.tobytes(), reach, query.filter if query.strict else query.filter.project, query.strict, v.version)
        known = self._searched.get(key)
        if known is None:
            known = v.vectors[space].search(vector, reach, v.catalog.allowed(query.filter, strict=query.strict))
            self._searched.put(key, known)
        return known[0][:k], known[1][:k]


def best_space(v: View, vectors: Vectors) -> str | None:
    """Return the query's space that covers most episodes; a provider's before the local one when they cover the same.

    Before the local one goes the multilingual one, in which a query is only when it is not in English, once it has nearly all episodes.
    """
    covering = [s for s in vectors if s in v.vectors and len(v.vectors[s])]
    best = max(covering, key=lambda s: (len(v.vectors[s]), not s.startswith("local")), default=None)
    if best is None or MULTILINGUAL_SPACE not in covering or not best.startswith("local"):
        return best
    return MULTILINGUAL_SPACE if len(v.vectors[MULTILINGUAL_SPACE]) >= NEARLY_ALL * len(v.vectors[best]) else best


def covered(v: View, spaces: Sequence[str]) -> int:
    """Return how many episodes the best of the spaces covers."""
    return max((len(v.vectors[s]) for s in spaces if s in v.vectors), default=0)


def cosines(v: View, space: str, vectors: Vectors, seqs: Sequence[int]) -> np.ndarray:
    """Return the candidates' cosines to the query; of a request of several sentences, half is that to the nearest sentence.

    Sentences differ in how near they are to everything, so each is moved to the mean of the whole request first: otherwise the
    vaguest of them would be the nearest one to every candidate.
    """
    index = v.vectors[space]
    rows = np.stack([index.similarities(vector, seqs) for vector in np.atleast_2d(vectors[space])]).astype(float)
    whole: np.ndarray = rows[0]
    if len(rows) == 1 or not len(seqs):
        return whole
    sentences = rows[1:] + (whole.mean() - rows[1:].mean(axis=1, keepdims=True))
    blended: np.ndarray = (1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * sentences.max(axis=0)
    return blended


def likeness(v: View, seqs: Sequence[int], vectors: Vectors) -> np.ndarray:
    """Return the cosines of the episodes' tasks to each other; identical texts without vectors count as alike."""
    space = best_space(v, vectors) or max(v.vectors, key=lambda s: len(v.vectors[s]), default=None)
    if space is None:
        tasks = np.array([v.catalog.traces[seq].task for seq in seqs], object)
        equal: np.ndarray = tasks[:, None] == tasks[None, :]
        return equal.astype(float)
    rows = v.vectors[space].rows(seqs)
    likeness: np.ndarray = rows @ rows.T
    return likeness
