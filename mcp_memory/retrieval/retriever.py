"""Query to ranked matches: lexical and semantic candidates, blended and re-weighted."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.episode import Episode, Json, Trace
from mcp_memory.domain.query import ANY_PROJECT, Match, Query, Ranking
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, IndexText, Neighbours, Store, VectorRow
from mcp_memory.retrieval import indexed_text, ranking, text_query
from mcp_memory.retrieval.catalog import Catalog
from mcp_memory.retrieval.query_cache import QueryCache
from mcp_memory.retrieval.vector_index import SignBitIndex

K = TypeVar("K")
V = TypeVar("V")
HOUR_MS = 3_600_000
TEXT_HITS = 4  # lexical hits fetched per candidate wanted, so that most semantic candidates have their lexical score too
STRICT_TEXT_HITS = 5_000  # when a strict filter will drop most of them
NEAREST = 208  # of one vector search: enough for the candidates and for the neighbours that advice rests on
KEPT_SEARCHES = 64  # until the next change
SENTENCE_SHARE = 0.5  # of the semantic score: the nearest sentence of a request of several
SENTENCE_CANDIDATES = 4  # a sentence brings a quarter of the candidates that the whole text brings
_TERMS = ("lexical", "semantic", "context", "value", "recency", "feedback")
LEXICAL_ONLY = "no query embedding: matches are lexical only"


@dataclass(frozen=True, slots=True)
class _Found:
    """Row numbers of the candidates with their raw scores."""

    seqs: list[int]
    lexical: np.ndarray
    semantic: np.ndarray


def _keep(memo: OrderedDict[K, V], key: K, value: V) -> None:
    memo[key] = value
    while len(memo) > KEPT_SEARCHES:
        memo.popitem(last=False)


class Retriever:
    """Implements `ports.RetrievalEngine`. Not safe for concurrent use: the front door calls it under one lock."""

    def __init__(self, store: Store, config: RetrievalConfig, metrics: Metrics, clock: Clock) -> None:
        self._store, self._config, self._metrics, self._clock = store, config, metrics, clock
        self._catalog = Catalog()
        self._indexes: dict[str, SignBitIndex] = {}
        self._votes: Mapping[str, float] = {}
        self._cache = QueryCache(config.query_cache_entries)
        self._version = 0  # of everything an answer is made from
        self._ahead: OrderedDict[tuple[Query, bool], dict[int, float]] = OrderedDict()
        self._searched: OrderedDict[Hashable, tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._frequency: dict[str, int] = {}
        self._frequency_at = 0  # episodes when `_frequency` was begun

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
        seqs = self._catalog.remove(episode_ids)
        for index in self._indexes.values():
            index.remove(seqs)
        self._changed()

    def add_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        """Add stored embeddings; a row that is there already is skipped."""
        if not rows:
            return
        index = self._indexes.setdefault(space, SignBitIndex(len(rows[0].codes)))
        new = [row for row in {r.seq: r for r in rows if r.part == 0}.values() if row.seq not in index]
        if new:
            codes = np.frombuffer(b"".join(r.codes for r in new), np.int8).reshape(len(new), index.dimension)
            index.add_codes([r.seq for r in new], codes, np.array([r.scale for r in new], np.float32))
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
        allowed = self._catalog.allowed(query.filter, strict=query.strict)
        self._text_hits(query, allowed, only=False)

    def rank(self, query: Query, vectors: Mapping[str, np.ndarray]) -> Ranking:
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

    def similar(self, query: Query, vectors: Mapping[str, np.ndarray], k: int) -> Neighbours:
        """Return the k episodes whose tasks are most alike: cosine cut to [0, 1]; without vectors, the overlap of their words."""
        allowed = self._catalog.allowed(query.filter, strict=query.strict)
        excluded = query.exclude_ids
        space = self._space(vectors)
        if space is None:
            hits = self._lexical(query, k + len(excluded), allowed, only=True)
            pairs = sorted(
                ((seq, text_query.overlap(query.text, self._catalog.traces[seq].task)) for seq in hits), key=lambda pair: -pair[1]
            )
        else:
            seqs, cosines = self._nearest(space, np.atleast_2d(vectors[space])[0], k + len(excluded), query)
            pairs = list(zip(seqs.tolist(), np.clip(cosines, 0, 1).tolist(), strict=True))
        named = [(self._catalog.traces[seq].id, value) for seq, value in pairs if seq in self._catalog.traces]
        return [(episode_id, value) for episode_id, value in named if episode_id not in excluded][:k]

    def stats(self) -> Mapping[str, Json]:
        """query_cache {hits, misses, entries}, vectors per space, traces."""
        return {
            "query_cache": {"hits": self._cache.hits, "misses": self._cache.misses, "entries": len(self._cache)},
            "vectors": {space: len(index) for space, index in self._indexes.items()},
            "traces": len(self._catalog),
        }

    # --- how ---

    def _rank(self, query: Query, vectors: Mapping[str, np.ndarray], now_ms: int) -> Ranking:
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
        likeness = self._likeness([found.seqs[i] for i in top], vectors)
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

    def _degraded(self, vectors: Mapping[str, np.ndarray]) -> tuple[str, ...]:
        if not vectors:
            return (LEXICAL_ONLY,) if len(self._catalog) else ()
        missing = len(self._catalog) - max((len(self._indexes[s]) for s in vectors if s in self._indexes), default=0)
        return (f"{missing} episodes are not embedded yet: they are found by words only",) if missing > 0 else ()

    def _space(self, vectors: Mapping[str, np.ndarray]) -> str | None:
        """Return the query's space that covers most episodes; a provider's before the local one when they cover the same."""
        covered = [s for s in vectors if self._indexes.get(s)]
        return max(covered, key=lambda s: (len(self._indexes[s]), not s.startswith("local")), default=None)

    def _find(self, query: Query, vectors: Mapping[str, np.ndarray]) -> _Found:
        """Return the union of the best lexical and the best semantic candidates, each with both scores."""
        wanted = self._wanted(query)
        allowed = self._catalog.allowed(query.filter, strict=query.strict)
        excluded = {seq for seq in map(self._catalog.seq_of, query.exclude_ids) if seq is not None}
        space = self._space(vectors) if query.text.strip() else None
        hits = self._text_hits(query, allowed, only=space is None)
        seqs = dict.fromkeys(list(hits)[:wanted])
        if space is not None:
            for row, vector in enumerate(np.atleast_2d(vectors[space])):
                nearest, _ = self._nearest(space, vector, wanted if row == 0 else wanted // SENTENCE_CANDIDATES, query)
                seqs |= dict.fromkeys(nearest.tolist())
        if space is None and text_query.fts_match(query.text) is None:
            seqs = dict.fromkeys(self._catalog.newest(allowed, wanted))
        kept = [seq for seq in seqs if seq in self._catalog.traces and seq not in excluded]
        floor = min(hits.values()) if len(hits) >= TEXT_HITS * wanted else 0.0  # the list was cut: the rest may score up to its last
        lexical = np.array([hits.get(seq, floor) for seq in kept], float)
        if space is None:
            return _Found(kept, lexical, np.full(len(kept), np.nan))
        return _Found(kept, lexical, self._cosines(self._indexes[space], np.atleast_2d(vectors[space]), kept))

    def _wanted(self, query: Query) -> int:
        return max(self._config.candidates, query.limit)

    def _nearest(self, space: str, vector: np.ndarray, k: int, query: Query) -> tuple[np.ndarray, np.ndarray]:
        """Return the k nearest episodes and their cosines. One search serves the ranking and the neighbours of the same query."""
        reach = k if k <= NEAREST // 4 else max(k, NEAREST)  # a few neighbours for a completion; all for a recall
        key = (space, vector.tobytes(), reach, query.filter if query.strict else query.filter.project, query.strict)
        known = self._searched.get(key)
        if known is None:
            known = self._indexes[space].search(vector, reach, self._catalog.allowed(query.filter, strict=query.strict))
            _keep(self._searched, key, known)
        return known[0][:k], known[1][:k]

    def _text_hits(self, query: Query, allowed: np.ndarray | None, *, only: bool) -> dict[int, float]:
        """Return the lexical scores of a ranking's candidates, those found ahead where they are."""
        key = (query, only)
        hits = self._ahead.get(key)
        if hits is None:
            hits = self._lexical(query, TEXT_HITS * self._wanted(query), allowed, only=only)
            _keep(self._ahead, key, hits)
        return hits

    def _changed(self) -> None:
        """Everything answers were made from is another now."""
        self._version += 1
        self._ahead.clear()
        self._searched.clear()

    def _cosines(self, index: SignBitIndex, vectors: np.ndarray, seqs: Sequence[int]) -> np.ndarray:
        """Return the candidates' cosines to the query; of a request of several sentences, half is that to the nearest sentence.

        Sentences differ in how near they are to everything, so each is moved to the mean of the whole request first: otherwise the
        vaguest of them would be the nearest one to every candidate.
        """
        rows = np.stack([index.similarities(vector, seqs) for vector in vectors]).astype(float)
        whole: np.ndarray = rows[0]
        if len(rows) == 1:
            return whole
        sentences = rows[1:] + (whole.mean() - rows[1:].mean(axis=1, keepdims=True))
        blended: np.ndarray = (1 - SENTENCE_SHARE) * whole + SENTENCE_SHARE * sentences.max(axis=0)
        return blended

    def _lexical(self, query: Query, limit: int, allowed: np.ndarray | None, *, only: bool) -> dict[int, float]:
        """Return bm25 scores by row number, best first. `only`: nothing else searches."""
        asked = text_query.read_query(query.text)
        match = text_query.affordable(asked, self._counts, len(self._catalog), at_least_one=only).match()
        if match is None:
            return {}
        project = ANY_PROJECT if allowed is None else query.filter.project or ANY_PROJECT
        hits = self._store.search_text(match, project=project, limit=max(limit, STRICT_TEXT_HITS) if query.strict else limit)
        found = {hit.seq: hit.score for hit in hits if hit.seq in self._catalog.traces}
        if query.strict and allowed is not None:
            admitted = set(allowed.tolist())
            found = {seq: value for seq, value in found.items() if seq in admitted}
        return found

    def _counts(self, terms: Sequence[str]) -> list[int]:
        """Return in how many episodes each term occurs; remembered until the memory has grown by a tenth."""
        if len(self._catalog) > 1.1 * self._frequency_at:
            self._frequency, self._frequency_at = {}, len(self._catalog)
        unknown = [t for t in terms if t not in self._frequency]
        counts = dict(zip(unknown, self._store.term_counts(unknown), strict=True)) if unknown else {}
        self._frequency |= {t: n for t, n in counts.items() if n > 0}
        return [self._frequency.get(t, 0) for t in terms]

    def _likeness(self, seqs: Sequence[int], vectors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the cosines of the episodes' tasks to each other; identical texts without vectors count as alike."""
        space = self._space(vectors) or max(self._indexes, key=lambda s: len(self._indexes[s]), default=None)
        if space is None:
            tasks = np.array([self._catalog.traces[seq].task for seq in seqs], object)
            equal: np.ndarray = tasks[:, None] == tasks[None, :]
            return equal.astype(float)
        rows = self._indexes[space].rows(seqs)
        likeness: np.ndarray = rows @ rows.T
        return likeness
