"""Which patterns are worth showing for a task: those of the episodes like it, by how often and how surely they held.

The patterns of the nearest episodes are derived from their traces again (extraction is a pure function), so nothing but the few best
candidates is read from the store.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence

from mcp_memory.domain.pattern import Pattern, PatternKind
from mcp_memory.learning.experience import Experience
from mcp_memory.learning.extractors import observations_of
from mcp_memory.learning.run import run_of_trace

MAX_NEIGHBOURS = 12
MIN_SIMILARITY = 0.3  # of an episode whose patterns are candidates
CANDIDATES_PER_WANTED = 6
WIDTH = 0.2  # of the kernel on task similarity
CACHED_EPISODES = 4_096
KIND_WEIGHTS = {  # how much a kind tells per unit of confidence: an error's answer most, a bare pair of tools least
    PatternKind.ERROR_RECOVERY: 1.0,
    PatternKind.CONTEXT: 0.9,
    PatternKind.DECISION_POINT: 0.8,
    PatternKind.TOOL_SEQUENCE: 0.7,
}

Assess = Callable[[Sequence[Pattern]], list[Pattern]]
ReadPatterns = Callable[[Sequence[str]], list[Pattern]]


class Relevance:
    """Ranks patterns for a task."""

    def __init__(self, experience: Experience, read: ReadPatterns, assess: Assess) -> None:
        self._x, self._read, self._assess = experience, read, assess
        self._of_episode: OrderedDict[str, tuple[tuple[str, PatternKind], ...]] = OrderedDict()

    def relevant(self, neighbours: Sequence[tuple[str, float]], limit: int) -> list[tuple[Pattern, float, Mapping[str, float]]]:
        """Return (pattern with confidence, score in [0, 1], why), best first, no pattern inside another one that says as much."""
        weights: Counter[str] = Counter()
        kinds: dict[str, PatternKind] = {}
        for episode_id, similarity in neighbours[:MAX_NEIGHBOURS]:
            if similarity < MIN_SIMILARITY:
                break
            for pattern_id, kind in self._patterns_of(episode_id):
                weights[pattern_id] += math.exp((similarity - 1.0) / WIDTH)
                kinds[pattern_id] = kind
        wanted = heaviest(weights, kinds, limit * CANDIDATES_PER_WANTED)
        found = self._assess(self._read(wanted)) if wanted else []
        scored = [(p, *self._score(p, weights[p.id])) for p in found if not p.retired]
        scored.sort(key=lambda row: (-row[1], row[0].id))
        return without_parts(scored)[:limit]

    def _score(self, pattern: Pattern, weight: float) -> tuple[float, Mapping[str, float]]:
        near = weight / (weight + 1.0)
        contrast = abs(2.0 * pattern.confidence - 1.0) if pattern.kind is PatternKind.DECISION_POINT else pattern.confidence
        score = KIND_WEIGHTS[pattern.kind] * near * max(0.0, min(1.0, contrast))
        return score, {"context": near, "confidence": pattern.confidence, "kind": KIND_WEIGHTS[pattern.kind]}

    def _patterns_of(self, episode_id: str) -> tuple[tuple[str, PatternKind], ...]:
        known = self._of_episode.get(episode_id)
        row = self._x.row(episode_id)
        if known is None and row is not None:
            known = tuple((o.pattern_id, o.kind) for o in observations_of(run_of_trace(self._x.full_trace(row))))
            self._of_episode[episode_id] = known
            if len(self._of_episode) > CACHED_EPISODES:
                self._of_episode.popitem(last=False)
        return known or ()


def heaviest(weights: Mapping[str, float], kinds: Mapping[str, PatternKind], limit: int) -> list[str]:
    """Return the ids of greatest weight, each kind getting a quarter of the places before the rest is filled."""
    order = sorted(weights, key=lambda key: (-weights[key] * KIND_WEIGHTS[kinds[key]], key))
    taken: dict[str, None] = {}
    for kind in KIND_WEIGHTS:
        taken |= dict.fromkeys([key for key in order if kinds[key] is kind][: max(1, limit // len(KIND_WEIGHTS))])
    return list(dict.fromkeys([*taken, *order]))[:limit]


def without_parts(
    scored: Sequence[tuple[Pattern, float, Mapping[str, float]]],
) -> list[tuple[Pattern, float, Mapping[str, float]]]:
    """Leave out tool sequences that are part of a longer one with the same counts (what miners call not closed)."""
    tools = {p.id: tuple(p.content["tools"]) for p, _, _ in scored if p.kind is PatternKind.TOOL_SEQUENCE}
    counts = {p.id: (p.successes, p.failures) for p, _, _ in scored}
    whole = [
        key
        for key, mine in tools.items()
        if not any(len(other) > len(mine) and counts[o] == counts[key] and is_part(mine, other) for o, other in tools.items())
    ]
    return [row for row in scored if row[0].id not in tools or row[0].id in whole]


def is_part(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Return whether *part* is a subsequence of *whole*.

    >>> is_part(["a", "c"], ["a", "b", "c"])
    True
    """
    rest = iter(whole)
    return all(tool in rest for tool in part)
