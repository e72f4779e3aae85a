"""Query to ranked matches: lexical and semantic candidates, blended and re-weighted."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.languages import MULTILINGUAL_SPACE, is_foreign
from mcp_memory.domain.nearness import SAME_TASK, of_cases
from mcp_memory.domain.query import ANY_PROJECT, Filter, Match, Query, Ranking
from mcp_memory.domain.status import CacheStats, RetrievalStats
from mcp_memory.domain.text_words import overlap
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, IndexText, Neighbours, Store
from mcp_memory.retrieval import indexed_text, ranking, text_query
from mcp_memory.retrieval.closeness import CLOSE_COSINE, as_understood, close, least_spread, names_a_task, reads_names_only
from mcp_memory.retrieval.lexical_search import LexicalSearch
from mcp_memory.retrieval.tiers import Pool, Tier, tiers
from mcp_memory.retrieval.vector_search import Vectors, VectorSearch, best_space, cosines, covered, likeness
from mcp_memory.views.view import View
from mcp_memory.views.vouching import KNOWN_CALLS, Vouching

HOUR_MS = 3_600_000
KEPT_NEIGHBOURS = 64  # requests; 30 kB each
TEXT_HITS = 4  # lexical hits fetched per candidate wanted, so that most semantic candidates have their lexical score too
_TERMS = ("lexical", "semantic", "context", "value", "recency", "feedback")
FOREIGN_DENSE_WEIGHT = 0.75
NAMES = 2  # words of a request that asks for what is called so
NO_ERRORS: Mapping[str, float] = {}
LEXICAL_ONLY = "no query embedding: matches are lexical only"


@dataclass(frozen=True, slots=True)
class _Found:
    """Row numbers of the candidates with their raw scores."""

    seqs: list[int]
    lexical: np.ndarray
    semantic: np.ndarray


class Retriever:
    """Answers from the views it is given with each question; its own memory of answers is used while reading only."""

    def __init__(self, store: Store, config: RetrievalConfig, metrics: Metrics, clock: Clock) -> None:
        self._config, self._metrics, self._clock = config, metrics, clock
        self._lexical, self._vectors = LexicalSearch(store), VectorSearch()
        self._answers: BoundedMap[Hashable, Ranking] = BoundedMap(config.query_cache_entries)
        self._neighbours: BoundedMap[Hashable, Neighbours] = BoundedMap(KEPT_NEIGHBOURS)  # a run asks for the same at every step

    # --- what is indexed ---

    def index_text(self, episode: Episode) -> IndexText:
        """What FTS5 indexes of a completed episode. Pure."""
        return indexed_text.index_text(episode)

    def embedding_texts(self, episode: Episode) -> Sequence[str]:
        """The texts to embed. Only the task: a second vector of the steps, or a header before the task, moved no measured metric."""
        return (episode.task,)

    # --- questions ---

    def query_texts(self, text: str) -> Sequence[str]:
        """The texts to embed for a query: all of it, then the sentences of a short request of several."""
        return (text, *text_query.request_parts(text))

    def look_up(self, v: View, query: Query) -> None:
        """Do the lexical search of a `rank` that follows ahead of it, so that it can run beside the embedding of the query."""
        self._text_hits(v, query, self._config.candidates, only=False)

    def rank(
        self,
        v: View,
        query: Query,
        vectors: Vectors,
        *,
        offset: int = 0,
        as_of_ms: int | None = None,
        met: Mapping[str, float] = NO_ERRORS,
    ) -> Ranking:
        """Return the best matches from *offset* on. Without vectors the search is lexical only, and `degraded` says so.

        The pages of a query hold each match once, as long as they are made from the same `seq` and `as_of_ms`. Text without a word and
        without a vector is answered with the newest and most valuable episodes.

        Args:
            v: The views.
            query: What is looked for.
            vectors: Per space, the vectors of `query_texts`, float32 (n, dimension); the first row alone will do.
            offset: How many of the best to leave out.
            as_of_ms: The time at which age is looked at, as an earlier answer had it; now, to the hour, by default.
            met: Episodes that met an error which the query quotes, with their worth in [0, 1]: candidates, however unlike their tasks.
        """
        if as_of_ms is None:
            as_of_ms = (self._clock() // HOUR_MS + 1) * HOUR_MS
        key: Hashable = (query, offset, tuple(sorted(vectors)), v.version, as_of_ms, tuple(met))
        known = self._answers.get(key)
        if known is None:
            known = self._rank(v, query, vectors, offset, as_of_ms, met)
            self._answers.put(key, known)
        return known

    def similar(self, v: View, query: Query, vectors: Vectors, k: int, *, max_work: int = text_query.RARE_WORK) -> Neighbours:
        """Return the k episodes of the query's project whose tasks are most alike, the best first: cosine cut to [0, 1].

        Nothing but the task counts: no boosts, no outcome. Identical text gives 1.0, another case (`of_cases`) less. Without vectors: the
        overlap of their words, of those that a search within *max_work* finds (`text_query.affordable`).
        """
        space = best_space(v, vectors)
        asked_in = query.filter if query.strict else query.filter.project
        key: Hashable = (query.text, asked_in, query.exclude_ids, space, k, max_work, v.version)
        known = self._neighbours.get(key)
        if known is None:
            known = self._similar(v, query, vectors, space, k, max_work)
            self._neighbours.put(key, known)
        return known

    def _similar(self, v: View, query: Query, vectors: Vectors, space: str | None, k: int, max_work: int) -> Neighbours:
        excluded, traces = query.exclude_ids, v.catalog.traces
        if space is None:
            hits = self._lexical.hits(v, query, k + len(excluded), only=True, max_work=max_work)
            pairs = sorted(((seq, overlap(query.text, traces[seq].task)) for seq in hits), key=lambda pair: -pair[1])
        else:
            seqs, near = self._vectors.nearest(v, query, space, np.atleast_2d(vectors[space])[0], k + len(excluded))
            pairs = [(seq, value) for seq, value in zip(seqs.tolist(), np.clip(near, 0, 1).tolist(), strict=True) if seq in traces]
            if reads_names_only(query.text, space):
                pairs = self._understood(v, query, pairs, k)
        pairs = [(seq, value) for seq, value in pairs if seq in traces]
        if pairs and pairs[0][1] >= SAME_TASK:  # there may be other cases of it
            found = [(seq, of_cases(value, query.text, traces[seq].task)) for seq, value in pairs]
            if space is not None and any(now < SAME_TASK <= was for (_, now), (_, was) in zip(found, pairs, strict=True)):
                found += self._by_words_too(v, query, space, vectors, pairs, k)
            pairs = sorted(found, key=lambda one: -one[1])
        named = [(traces[seq].id, value) for seq, value in pairs]
        return tuple([one for one in named if one[0] not in excluded][:k])

    def _by_words_too(
        self, v: View, query: Query, space: str, vectors: Vectors, pairs: Sequence[tuple[int, float]], k: int
    ) -> list[tuple[int, float]]:
        """Return what is found by its words alone: where a frame of instructions makes all tasks alike, the nearest may be any of them."""
        traces, known = v.catalog.traces, {seq for seq, _ in pairs}
        seqs = [seq for seq in self._lexical.hits(v, query, k, only=True) if seq in traces and seq not in known]
        near = np.clip(cosines(v, space, {space: np.atleast_2d(vectors[space])[:1]}, seqs), 0, 1).tolist() if seqs else []
        return [(seq, of_cases(value, query.text, traces[seq].task)) for seq, value in zip(seqs, near, strict=True)]

    def _understood(self, v: View, query: Query, pairs: Sequence[tuple[int, float]], k: int) -> list[tuple[int, float]]:
        """Return the nearest of those given and of those found by their words, by what is understood of them."""
        traces = v.catalog.traces
        by_words = self._lexical.hits(v, query, k, only=True)
        near = dict.fromkeys((seq for seq in by_words if seq in traces), 0.0) | dict(pairs)
        alike = as_understood(query.text, [traces[seq].task for seq in near], np.array([*near.values()], float))
        return sorted(zip(near, alike.tolist(), strict=True), key=lambda pair: -pair[1])

    def by_words(self, v: View, query: Query, k: int) -> list[str]:
        """Return the k episodes that have most of the query's words, in their tasks or in what was done and shown there, best first."""
        found = (seq for seq in self._text_hits(v, query, self._config.candidates, only=False) if seq in v.catalog.traces)
        return [key for key in (v.catalog.traces[seq].id for seq in found) if key not in query.exclude_ids][:k]

    def word_counts(self, v: View, text: str) -> dict[str, int]:
        """Return in how many episodes each word of a text occurs, of a long one those of its beginning and its end."""
        terms = text_query.both_ends(text_query.read_query(text).terms)
        return dict(zip(terms, self._lexical.counts(v, terms), strict=True))

    def elsewhere(self, v: View, query: Query, vectors: Vectors) -> tuple[str, float] | None:
        """Return the episode whose task is most like the query's in any project, with its similarity, if it is close and of another."""
        if query.filter.project in ("", ANY_PROJECT) or best_space(v, vectors) is None:
            return None
        anywhere = replace(query, filter=Filter(project=ANY_PROJECT), strict=False)
        found = self.similar(v, anywhere, vectors, 1)
        if not found or found[0][1] < CLOSE_COSINE:
            return None
        seq = v.catalog.seq_of(found[0][0])
        return None if seq is None or v.catalog.traces[seq].project == query.filter.project else found[0]

    def stats(self, v: View) -> RetrievalStats:
        """Return what there is to search in."""
        queries = CacheStats(self._answers.hits, self._answers.misses, len(self._answers))
        return RetrievalStats(queries, {space: len(index) for space, index in v.vectors.items()}, len(v.catalog))

    # --- how ---

    def _rank(self, v: View, query: Query, vectors: Vectors, offset: int, as_of_ms: int, met: Mapping[str, float]) -> Ranking:
        considered = 0

        def search(depth: int) -> Pool:
            nonlocal considered
            with self._metrics.timed("recall_search"):
                found = self._find(v, query, vectors, depth, met)
            considered = len(found.seqs)
            return self._pool(v, query, vectors, found, as_of_ms, met)

        matches: list[Match] = []
        silent: bool | None = None
        start, end = 0, offset + query.limit  # of the tier at hand, and of the page
        for tier in tiers(search, self._config.candidates, v.catalog.size_of(query.filter.project)):
            if silent is None:  # the first tier's pool has the nearest; who filters knows what is asked for
                silent = not query.strict and not met and not self._is_close(v, query, vectors, tier.pool)
            if silent:
                break
            shown = range(max(0, offset - start), min(len(tier), end - start))
            matches += [_match(tier, place, query) for place in shown]
            start += len(tier)
            if start >= end:
                break
        return Ranking(tuple(matches), considered, v.seq, as_of_ms, self._degraded(v, vectors), bool(silent))

    def _is_close(self, v: View, query: Query, vectors: Vectors, pool: Pool) -> bool:
        space, episodes = best_space(v, vectors), len(v.catalog)
        terms = text_query.read_query(query.text).terms
        if space is None and (is_foreign(query.text) or (len(terms) <= NAMES and all(self._lexical.counts(v, terms)))):
            return True  # its words are not the index's; or a name that is known; or nothing was asked for, and these are the newest
        if close(query.text, pool.semantic, pool.coverage, space).any() or self._overlaps(query, pool):
            return True
        if space == MULTILINGUAL_SPACE:  # it understands more than names
            return False
        found = (pool.traces[i].task for i in np.flatnonzero(pool.coverage > 0).tolist())
        loans = [loan.words for loan in self._lexical.loaned(v, query.text) if loan.is_sure]
        return names_a_task(query.text, found, lambda terms: self._lexical.counts(v, terms), episodes, loans)

    def _overlaps(self, query: Query, pool: Pool) -> bool:
        """Return whether a candidate without a vector, of whose meaning nothing is known, has the words of the request in its task."""
        unknown = np.flatnonzero(np.isnan(pool.semantic)).tolist()
        return any(overlap(query.text, pool.traces[i].task, inflected=True) >= CLOSE_COSINE for i in unknown)

    def _pool(self, v: View, query: Query, vectors: Vectors, found: _Found, as_of_ms: int, met: Mapping[str, float]) -> Pool:
        traces = [v.catalog.traces[seq] for seq in found.seqs]
        votes = v.votes.nets(t.id for t in traces)
        errors = np.array([met.get(t.id, 0.0) for t in traces]) if met else 0.0
        space = best_space(v, vectors)
        candidates = ranking.Candidates(traces, found.lexical, found.semantic, errors, least_spread(query.text, space))
        config = self._config
        if space == MULTILINGUAL_SPACE:  # of another language's words the index has the names only
            config = replace(config, dense_weight=max(config.dense_weight, FOREIGN_DENSE_WEIGHT))
        scored = ranking.score(candidates, query.filter, votes, as_of_ms, config)
        coverage = self._lexical.coverage(v, query, found.lexical)
        x = v.experience
        vouching = x.derived(Vouching)

        def vouched(place: int) -> int:
            row = x.row(traces[place].id)
            return vouching.level(row) if row is not None and vouching.is_shared(row) else KNOWN_CALLS

        return Pool(traces, found.semantic, coverage, scored, lambda places: likeness(v, [found.seqs[i] for i in places], vectors), vouched)

    def _degraded(self, v: View, vectors: Vectors) -> tuple[str, ...]:
        if not vectors:
            return (LEXICAL_ONLY,) if len(v.catalog) else ()
        missing = len(v.catalog) - covered(v, tuple(vectors))
        return (f"episodes that are not embedded yet, and are found by words only: {missing}",) if missing > 0 else ()

    def _find(self, v: View, query: Query, vectors: Vectors, depth: int, met: Mapping[str, float]) -> _Found:
        """Return the best lexical and semantic candidates, *depth* of each, and those that met the error, each with both scores."""
        excluded = {seq for seq in map(v.catalog.seq_of, query.exclude_ids) if seq is not None}
        space = best_space(v, vectors) if query.text.strip() else None
        hits = self._text_hits(v, query, depth, only=space is None)
        seqs = dict.fromkeys(list(hits)[:depth])
        if space is not None:
            seqs |= dict.fromkeys(self._vectors.candidates(v, query, space, vectors, depth))
        elif not text_query.read_query(query.text).terms:
            seqs = dict.fromkeys(v.catalog.newest(v.catalog.allowed(query.filter, strict=query.strict), depth))
        allowed = v.catalog.allowed(query.filter, strict=query.strict) if met else None
        also = [seq for seq in map(v.catalog.seq_of, met) if seq is not None and (allowed is None or seq in allowed)]
        kept = [seq for seq in (seqs | dict.fromkeys(also)) if seq in v.catalog.traces and seq not in excluded]
        floor = min(hits.values()) if len(hits) >= TEXT_HITS * depth else 0.0  # the list was cut: the rest may score up to its last
        lexical = np.array([hits.get(seq, floor) for seq in kept], float)
        semantic = np.full(len(kept), np.nan) if space is None else cosines(v, space, vectors, kept)
        if reads_names_only(query.text, space):
            semantic = as_understood(query.text, [v.catalog.traces[seq].task for seq in kept], semantic)
        return _Found(kept, lexical, semantic)

    def _text_hits(self, v: View, query: Query, depth: int, *, only: bool) -> dict[int, float]:
        return self._lexical.hits(v, query, TEXT_HITS * depth, only=only)


def _match(tier: Tier, place: int, query: Query) -> Match:
    """Return the match at a *place* of the tier."""
    i, pool = int(tier.order[place]), tier.pool
    at = int(tier.places[i])
    trace, cosine = pool.traces[at], float(pool.semantic[at])
    similarity = overlap(query.text, trace.task) if np.isnan(cosine) else min(1.0, max(0.0, cosine))
    similarity = of_cases(similarity, query.text, trace.task)
    why = {name: float(getattr(pool.scored, name)[at]) for name in _TERMS}
    return Match(trace.id, ranking.to_unit(float(tier.totals[i])), why, similarity)
