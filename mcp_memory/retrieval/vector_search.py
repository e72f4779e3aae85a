"""The semantic half of the retriever: vectors per space, their nearest, and how alike candidates are."""

from collections.abc import Mapping, Sequence

import numpy as np

from mcp_memory.domain.query import Query
from mcp_memory.ports import VectorRow
from mcp_memory.retrieval.catalog import Catalog
from mcp_memory.retrieval.query_cache import KEPT_SEARCHES, QueryCache
from mcp_memory.retrieval.vector_index import SignBitIndex

NEAREST = 208  # of one vector search: enough for the candidates and for the neighbours that advice rests on
SENTENCE_SHARE = 0.5  # of the semantic score: the nearest sentence of a request of several
SENTENCE_CANDIDATES = 4  # a sentence brings a quarter of the candidates that the whole text brings
Vectors = Mapping[str, np.ndarray]  # per space, those of a query's texts, float32 (n, dimension)


class VectorSearch:
    """Searches the vectors of a catalog's episodes. Not safe for concurrent use."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._indexes: dict[str, SignBitIndex] = {}
        self._searched: QueryCache[tuple[np.ndarray, np.ndarray]] = QueryCache(KEPT_SEARCHES)

    def add(self, space: str, rows: Sequence[VectorRow]) -> bool:
        """Add stored embeddings of a space; one that is there already is skipped. Return whether any was new."""
        index = self._indexes.setdefault(space, SignBitIndex(len(rows[0].codes)))
        new = [row for row in {r.seq: r for r in rows if r.part == 0}.values() if row.seq not in index]
        if new:
            codes = np.frombuffer(b"".join(r.codes for r in new), np.int8).reshape(len(new), index.dimension)
            index.add_codes([r.seq for r in new], codes, np.array([r.scale for r in new], np.float32))
        return bool(new)

    def remove(self, seqs: Sequence[int]) -> None:
        """Drop the vectors of episodes."""
        for index in self._indexes.values():
            index.remove(seqs)

    def clear_memo(self) -> None:
        """Forget earlier searches: what they searched has changed."""
        self._searched.clear()

    def space(self, vectors: Vectors) -> str | None:
        """Return the query's space that covers most episodes; a provider's before the local one when they cover the same."""
        covered = [s for s in vectors if self._indexes.get(s)]
        return max(covered, key=lambda s: (len(self._indexes[s]), not s.startswith("local")), default=None)

    def covered(self, spaces: Sequence[str]) -> int:
        """Return how many episodes the best of the spaces covers."""
        return max((len(self._indexes[s]) for s in spaces if s in self._indexes), default=0)

    def candidates(self, query: Query, space: str, vectors: Vectors, wanted: int) -> list[int]:
        """Return the row numbers nearest to the query and, fewer of them, to each of its sentences."""
        found: dict[int, None] = {}
        for row, vector in enumerate(np.atleast_2d(vectors[space])):
            nearest, _ = self.nearest(query, space, vector, wanted if row == 0 else wanted // SENTENCE_CANDIDATES)
            found |= dict.fromkeys(nearest.tolist())
        return list(found)

    def nearest(self, query: Query, space: str, vector: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k nearest episodes and their cosines. One search serves the ranking and the neighbours of the same query."""
        reach = k if k <= NEAREST // 4 else max(k, NEAREST)  # a few neighbours for a completion; all for a recall
        key = (space, vector.tobytes(), reach, query.filter if query.strict else query.filter.project, query.strict)
        known = self._searched.get(key)
        if known is None:
            known = self._indexes[space].search(vector, reach, self._catalog.allowed(query.filter, strict=query.strict))
            self._searched.put(key, known)
        return known[0][:k], known[1][:k]

    def cosines(self, space: str, vectors: Vectors, seqs: Sequence[int]) -> np.ndarray:
        """Return the candidates' cosines to the query; of a request of several sentences, half is that to the nearest sentence.

        Sentences differ in how near they are to everything, so each is moved to the mean of the whole request first: otherwise the
        vaguest of them would be the nearest one to every candidate.
        """
        index = self._indexes[space]
        rows = np.stack([index.similarities(vector, seqs) for vector in np.atleast_2d(vectors[space])]).astype(float)
        whole: np.ndarray = rows[0]
        if len(rows) == 1:
            return whole
        sentences = rows[1:] + (whole.mean() - rows[1:].mean(axis=1, keepdims=True))
        blended: np.ndarray = (1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * sentences.max(axis=0)
        return blended

    def likeness(self, seqs: Sequence[int], vectors: Vectors) -> np.ndarray:
        """Return the cosines of the episodes' tasks to each other; identical texts without vectors count as alike."""
        space = self.space(vectors) or max(self._indexes, key=lambda s: len(self._indexes[s]), default=None)
        if space is None:
            tasks = np.array([self._catalog.traces[seq].task for seq in seqs], object)
            equal: np.ndarray = tasks[:, None] == tasks[None, :]
            return equal.astype(float)
        rows = self._indexes[space].rows(seqs)
        likeness: np.ndarray = rows @ rows.T
        return likeness

    def stats(self) -> dict[str, int]:
        """Return how many vectors each space has."""
        return {space: len(index) for space, index in self._indexes.items()}
