"""The order of all matches, made only as far as somebody looks, and never moved by looking further.

Candidates are ordered a tier at a time: the best sixty of the usual number of candidates, which is all that most answers need; then the
next sixty; then those that a search twice as deep finds besides. A tier is compared within itself, and no candidate is in two. So the
pages of one query hold every match once, whatever their sizes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.domain.episode import Trace
from mcp_memory.retrieval import ranking
from mcp_memory.views.vouching import KNOWN_CALLS

DEEPER = 2
ABOUT_AS_NEAR = 0.8  # share of the first one's similarity


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of one depth with their scores, and the cosines of some of them, by place in the pool, to each other."""

    traces: Sequence[Trace]
    semantic: np.ndarray  # cosines to the query, NaN without a vector
    coverage: np.ndarray  # shares of the query's words that were found
    scored: ranking.Scored
    likeness: Callable[[np.ndarray], np.ndarray]
    vouched: Callable[[int], int] = lambda place: 0  # of a candidate, how far others did what it did (`views.vouching`)


@dataclass(frozen=True, slots=True)
class Tier:
    """Up to sixty candidates of a pool, compared with each other."""

    pool: Pool
    places: np.ndarray  # of the candidates in the pool
    totals: np.ndarray  # of the candidates
    likeness: np.ndarray  # of the candidates to each other
    order: np.ndarray  # of the candidates, the best first

    def __len__(self) -> int:
        return len(self.order)


def tiers(search: Callable[[int], Pool], depth: int, episodes: int) -> Iterator[Tier]:
    """Yield the tiers, the best first.

    Args:
        search: Finds the candidates at a depth: so many from each of the searches. Deeper ones hold those of less deep ones.
        depth: Of the first search.
        episodes: A search this deep has found all there is.
    """
    seen: set[int] = set()
    while True:
        pool = search(depth)
        fresh = np.array([i for i, trace in enumerate(pool.traces) if not seen or trace.seq not in seen], np.int64)
        best = fresh[np.argsort(-(pool.scored.relevance + pool.scored.worth)[fresh], kind="stable")]
        for start in range(0, len(best), ranking.RERANKED):
            yield _compared(pool, best[start : start + ranking.RERANKED])
        if depth >= episodes:
            return
        seen.update(trace.seq for trace in pool.traces)
        depth *= DEEPER


def _compared(pool: Pool, places: np.ndarray) -> Tier:
    scored, likeness = pool.scored, pool.likeness(places)
    relevance = ranking.supported(scored.relevance[places], likeness)
    worth = scored.worth[places]
    totals = relevance + worth + ranking.compared(scored.value[places], relevance, likeness) - scored.value[places]

    def soundness(which: np.ndarray) -> np.ndarray:
        return np.array([pool.traces[i].soundness for i in places[which]])

    totals = ranking.exchanged(relevance, worth, soundness, likeness, totals)
    return Tier(pool, places, totals, likeness, _led(pool, places, ranking.order(totals), likeness))


def _led(pool: Pool, places: np.ndarray, order: np.ndarray, likeness: np.ndarray) -> np.ndarray:
    """Return the order, but for the best vouched for of what is about as near as the first, which comes first.

    Of attempts at the very same task that nobody vouches for, one of the agent that has the fewest of them comes first: else whoever
    repeats itself would have the newest, and be heard first for it.
    """
    if not len(order) or pool.vouched(int(places[order[0]])) == KNOWN_CALLS:
        return order
    near = pool.semantic[places[order]]
    fit = [i for i in range(len(order)) if not near[i] < ABOUT_AS_NEAR * near[0]]
    at = max(fit, key=lambda i: (pool.vouched(int(places[order[i]])), -i), default=0)
    if (level := pool.vouched(int(places[order[at]]))) < KNOWN_CALLS:
        same = [i for i in fit if i == at or likeness[order[at], order[i]] > ranking.SAME_TEXT_COSINE]
        voices = Counter(pool.traces[places[order[i]]].agent for i in same)
        as_known = [i for i in same if pool.vouched(int(places[order[i]])) == level]
        at = min(as_known, key=lambda i: (voices[pool.traces[places[order[i]]].agent], i))
    return np.concatenate([order[at : at + 1], order[:at], order[at + 1 :]])
