"""The lexical half of the retriever: from a query to bm25 scores by row number."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.cognates import beginnings
from mcp_memory.domain.languages import is_foreign_prose
from mcp_memory.domain.loanwords import Loan
from mcp_memory.domain.query import ANY_PROJECT, Query, TextQuery
from mcp_memory.ports import TextSearch
from mcp_memory.retrieval import text_query
from mcp_memory.retrieval.task_sounds import TaskSounds
from mcp_memory.views.view import View

STRICT_HITS = 5_000  # when a strict filter will drop most of them
GROWTH = 1.1  # of the memory, after which the words are counted again
KEPT_SEARCHES = 64
FULL_MARK = 2.2  # times its inverse document frequency: the most that bm25 gives for one term (k1 + 1)


class LexicalSearch:
    """Searches the words of the catalog's episodes. Its memory of earlier searches is used while reading only."""

    def __init__(self, store: TextSearch) -> None:
        self._store = store
        self._searched: BoundedMap[Hashable, dict[int, float]] = BoundedMap(KEPT_SEARCHES)
        self._frequency: tuple[dict[str, int], dict[str, int]] = ({}, {})  # of words, of beginnings
        self._frequency_at = 0  # episodes when `_frequency` was begun
        self._absent: tuple[set[str], set[str]] = (set(), set())  # what no episode has
        self._absent_at = -1  # version of the views when `_absent` was begun
        self._sounds = TaskSounds()

    def hits(self, v: View, query: Query, limit: int, *, only: bool, max_work: int = text_query.RARE_WORK) -> dict[int, float]:
        """Return bm25 scores by row number, best first; those found by an earlier call where there was one.

        Args:
            v: The views.
            query: What is looked for.
            limit: How many at least, where there are as many.
            only: Nothing else searches, so that a query of common words must not come back empty.
            max_work: A lower bound on the work than a recall's, see `text_query.affordable`.
        """
        key = (query.text, query.filter, query.strict, limit, only, max_work, v.version)
        hits = self._searched.get(key)
        if hits is None:
            hits = self._search(v, query, limit, only=only, max_work=max_work)
            self._searched.put(key, hits)
        return hits

    def coverage(self, v: View, query: Query, scores: np.ndarray) -> np.ndarray:
        """Return which share of what the query asks for was found, rare words counting most: bm25 scores over the best there could be.

        A word that no episode has counts like the rarest. 0 where the query has no words.
        """
        terms, episodes = text_query.both_ends(text_query.read_query(query.text).terms), len(v.catalog)
        counts = self.counts(v, terms)
        full = FULL_MARK * sum(max(0.0, math.log((max(episodes - n, 0) + 0.5) / (n + 0.5))) for n in counts)
        shares: np.ndarray = scores / full if full > 0 else np.zeros(len(scores))
        return shares

    def _search(self, v: View, query: Query, limit: int, *, only: bool, max_work: int) -> dict[int, float]:
        asked = text_query.read_query(query.text)
        episodes = len(v.catalog)
        words = text_query.affordable(asked, lambda terms: self.counts(v, terms), episodes, at_least_one=only, max_work=max_work)
        if is_foreign_prose(query.text):  # words of other languages are found by what they share with English ones
            words = replace(words, beginnings=self._shared_beginnings(v, asked.terms))
        words = replace(words, terms=tuple(dict.fromkeys([*words.terms, *self._loaned(v, query.text)])))
        if not (words.terms or words.phrases or words.beginnings):
            return {}
        allowed: np.ndarray | None = v.catalog.allowed(query.filter, strict=query.strict)
        project = ANY_PROJECT if allowed is None else query.filter.project or ANY_PROJECT
        hits = self._store.search_text(words, project=project, limit=max(limit, STRICT_HITS) if query.strict else limit)
        found = {hit.seq: hit.score for hit in hits if hit.seq in v.catalog.traces}
        if query.strict and allowed is not None:
            admitted = set(allowed.tolist())
            found = {seq: value for seq, value in found.items() if seq in admitted}
        return found

    def _shared_beginnings(self, v: View, terms: Sequence[str]) -> tuple[str, ...]:
        """Return what English relatives of the terms begin with, as far as searching for it is affordable."""
        shared = TextQuery(beginnings(terms))
        found = text_query.affordable(shared, lambda them: self.counts(v, them, begun=True), len(v.catalog), at_least_one=False)
        return found.terms

    def loaned(self, v: View, text: str) -> tuple[Loan, ...]:
        """Return for each word of *text* in katakana the English words of tasks that it stands for."""
        return self._sounds.loaned(text, v.catalog.traces)

    def _loaned(self, v: View, text: str) -> tuple[str, ...]:
        """Return all of them, as far as searching for them is affordable."""
        asked = TextQuery(tuple(dict.fromkeys(word for loan in self.loaned(v, text) for word in loan.words)))
        return text_query.affordable(asked, lambda them: self.counts(v, them), len(v.catalog), at_least_one=False).terms

    def counts(self, v: View, terms: Sequence[str], *, begun: bool = False) -> list[int]:
        """Return in how many episodes each term occurs, or what begins so; remembered until the memory has grown by a tenth.

        What none has is asked for again once anything has changed: the next episode may be named so.
        """
        episodes = len(v.catalog)
        if episodes > GROWTH * self._frequency_at:
            self._frequency, self._frequency_at = ({}, {}), episodes
        if self._absent_at != v.version:
            self._absent, self._absent_at = (set(), set()), v.version
        frequency, absent = self._frequency[begun], self._absent[begun]
        unknown = [t for t in terms if t not in frequency and t not in absent]
        counts = dict(zip(unknown, self._store.term_counts(unknown, beginnings=begun), strict=True)) if unknown else {}
        frequency |= {t: n for t, n in counts.items() if n > 0}
        absent.update(t for t, n in counts.items() if n == 0)
        return [frequency.get(t, 0) for t in terms]
