"""Query to ranked matches: lexical and semantic candidates, blended and re-weighted."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.episode import Episode, Json, Trace
from mcp_memory.domain.query import Match, Query, Ranking
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, IndexText, Neighbours, Store, VectorRow
from mcp_memory.retrieval import indexed_text, ranking, text_query
from mcp_memory.retrieval.catalog import Catalog
from mcp_memory.retrieval.lexical_search import LexicalSearch
from mcp_memory.retrieval.query_cache import QueryCache
from mcp_memory.retrieval.vector_search import Vectors, VectorSearch

HOUR_MS = 3_600_000
TEXT_HITS = 4  # lexical hits fetched per candidate wanted, so that most semantic candidates have their lexical score too
_TERMS = ("lexical", "semantic", "context", "value", "recency", "feedback")
LEXICAL_ONLY = "no query embedding: matches are lexical only"


@dataclass(frozen=True, slots=True)
class _Found:
    """Row numbers of the candidates with their raw scores."""

    seqs: list[int]
    lexical: np.ndarray
    semantic: np.ndarray


class Retriever:
    """Implements `ports.RetrievalEngine`. Not safe for concurrent use: the front door calls it under one lock."""

    def __init__(self, store: Store, config: RetrievalConfig, metrics: Metrics, clock: Clock) -> None:
        self._store, self._config, self._metrics, self._clock = store, config, metrics, clock
        self._catalog = Catalog()
        self._lexical, self._vectors = LexicalSearch(store, self._catalog), VectorSearch(self._catalog)
        self._votes: Mapping[str, float] = {}
        self._cache: QueryCache[Ranking] = QueryCache(config.query_cache_entries)
        self._version = 0  # of everything an answer is made from

    # --- what is indexed ---

    def index_text(self, episode: Episode) -> IndexText:
        """What FTS5 indexes of a completed episode. Pure."""
        return indexed_text.index_text(episode)

    def embedding_texts(self, episode: Episode) -> Sequence[str]:
        """The texts to embed. Only the task: a second vector of the steps, or a header before the task, moved no measured metric."""
        return (episode.task,)

    # --- the views ---

    def add(self, traces: Sequence[Trace]) -> None:
        """Make completed episodes findable."""
        self._catalog.add(traces)
        self._changed()

    def remove(self, episode_ids: Sequence[str]) -> None:
        """Forget episodes and their vectors."""
        self._vectors.remove(self._catalog.remove(episode_ids))
        self._changed()

    def add_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        """Add stored embeddings; a row that is there already is skipped."""
        if rows and self._vectors.add(space, rows):
            self._changed()

    def set_votes(self, votes: Mapping[str, float]) -> None:
        """Net feedback per episode id in [-1, 1], already shrunk."""
        self._votes = votes
        self._changed()

    # --- questions ---

    def query_texts(self, text: str) -> Sequence[str]:
        """The texts to embed for a query: all of it, then the sentences of a short request of several."""
        return (text, *text_query.sentences(text))

    def look_up(self, query: Query) -> None:
        """Do the lexical search of a `rank` that follows ahead of it, so that it can run beside the embedding of the query."""
        self._text_hits(query, only=False)

    def rank(self, query: Query, vectors: Vectors) -> Ranking:
        """Return the best matches. Without vectors the search is lexical only, and `degraded` says so.

        `vectors`: per space, the vectors of `query_texts`, float32 (n, dimension); the first row alone will do.
        Text without a word and without a vector is answered with the newest and most valuable episodes.
        """
        now_ms = self._clock()
        key: Hashable = (query, tuple(sorted(vectors)), self._version, now_ms // HOUR_MS)
        known = self._cache.get(key)
        if known is None:
            known = self._rank(query, vectors, now_ms)
            self._cache.put(key, known)
        return known

    def similar(self, query: Query, vectors: Vectors, k: int) -> Neighbours:
        """Return the k episodes whose tasks are most alike: cosine cut to [0, 1]; without vectors, the overlap of their words."""
        excluded = query.exclude_ids
        space = self._vectors.space(vectors)
        if space is None:
            hits = self._lexical.hits(query, k + len(excluded), only=True)
            pairs = sorted(
                ((seq, text_query.overlap(query.text, self._catalog.traces[seq].task)) for seq in hits), key=lambda pair: -pair[1]
            )
        else:
            seqs, cosines = self._vectors.nearest(query, space, np.atleast_2d(vectors[space])[0], k + len(excluded))
            pairs = list(zip(seqs.tolist(), np.clip(cosines, 0, 1).tolist(), strict=True))
        named = [(self._catalog.traces[seq].id, value) for seq, value in pairs if seq in self._catalog.traces]
        return [(episode_id, value) for episode_id, value in named if episode_id not in excluded][:k]

    def stats(self) -> Mapping[str, Json]:
        """query_cache {hits, misses, entries}, vectors per space, traces."""
        return {
            "query_cache": {"hits": self._cache.hits, "misses": self._cache.misses, "entries": len(self._cache)},
            "vectors": self._vectors.stats(),
            "traces": len(self._catalog),
        }

    # --- how ---

    def _rank(self, query: Query, vectors: Vectors, now_ms: int) -> Ranking:
        with self._metrics.timed("recall_search"):
            found = self._find(query, vectors)
        if not found.seqs:
            return Ranking((), 0, self._store.change_seq(), self._degraded(vectors))
        traces = [self._catalog.traces[seq] for seq in found.seqs]
        votes = [self._votes.get(t.id, 0.0) for t in traces]
        candidates = ranking.Candidates(traces, found.lexical, found.semantic)
        scored = ranking.score(candidates, query.filter, votes, now_ms, self._config)
        reach = max(ranking.RERANKED, query.limit)
        top = np.argsort(-(scored.relevance + scored.worth), kind="stable")[:reach]
        likeness = self._vectors.likeness([found.seqs[i] for i in top], vectors)
        totals = ranking.supported(scored.relevance[top], likeness) + scored.worth[top]
        shown = ranking.fold(totals, likeness)[: query.limit]
        hidden = np.setdiff1d(np.arange(len(top)), shown)
        matches = []
        for i in shown.tolist():
            at = int(top[i])
            folded = tuple(traces[int(top[j])].id for j in hidden if likeness[i, j] > ranking.NEAR_DUPLICATE)
            cosine = float(found.semantic[at])
            similarity = text_query.overlap(query.text, traces[at].task) if np.isnan(cosine) else min(1.0, max(0.0, cosine))
            if similarity < query.min_similarity:
                continue
            why = {name: float(getattr(scored, name)[at]) for name in _TERMS}
            matches.append(Match(traces[at].id, ranking.to_unit(float(totals[i])), why, similarity, folded))
        return Ranking(tuple(matches), len(found.seqs), self._store.change_seq(), self._degraded(vectors))

    def _degraded(self, vectors: Vectors) -> tuple[str, ...]:
        if not vectors:
            return (LEXICAL_ONLY,) if len(self._catalog) else ()
        missing = len(self._catalog) - self._vectors.covered(tuple(vectors))
        return (f"{missing} episodes are not embedded yet: they are found by words only",) if missing > 0 else ()

    def _find(self, query: Query, vectors: Vectors) -> _Found:
        """Return the union of the best lexical and the best semantic candidates, each with both scores."""
        wanted = self._wanted(query)
        excluded = {seq for seq in map(self._catalog.seq_of, query.exclude_ids) if seq is not None}
        space = self._vectors.space(vectors) if query.text.strip() else None
        hits = self._text_hits(query, only=space is None)
        seqs = dict.fromkeys(list(hits)[:wanted])
        if space is not None:
            seqs |= dict.fromkeys(self._vectors.candidates(query, space, vectors, wanted))
        elif not text_query.read_query(query.text).terms:
            seqs = dict.fromkeys(self._catalog.newest(self._catalog.allowed(query.filter, strict=query.strict), wanted))
        kept = [seq for seq in seqs if seq in self._catalog.traces and seq not in excluded]
        floor = min(hits.values()) if len(hits) >= TEXT_HITS * wanted else 0.0  # the list was cut: the rest may score up to its last
        lexical = np.array([hits.get(seq, floor) for seq in kept], float)
        semantic = np.full(len(kept), np.nan) if space is None else self._vectors.cosines(space, vectors, kept)
        return _Found(kept, lexical, semantic)

    def _wanted(self, query: Query) -> int:
        return max(self._config.candidates, query.limit)

    def _text_hits(self, query: Query, *, only: bool) -> dict[int, float]:
        return self._lexical.hits(query, TEXT_HITS * self._wanted(query), only=only)

    def _changed(self) -> None:
        """Everything answers were made from is another now."""
        self._version += 1
        self._lexical.clear_memo()
        self._vectors.clear_memo()
