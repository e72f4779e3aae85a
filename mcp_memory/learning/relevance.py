"""Which patterns are worth showing for a task: those of the episodes like it, by how often and how surely they held.

The patterns of the nearest episodes are derived from their traces again (extraction is a pure function), so nothing but the few best
candidates is read from the store.
"""

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence

from mcp_memory.domain.pattern import Observation, Pattern, PatternKind
from mcp_memory.learning.confidence import wilson
from mcp_memory.learning.experience import Experience
from mcp_memory.learning.extractors import observations_of
from mcp_memory.learning.run import run_of_trace
from mcp_memory.learning.trust import Trust

MAX_NEIGHBOURS = 5  # deriving one episode's patterns takes about 0.3 ms when it was not asked for before
MIN_SIMILARITY = 0.3  # of an episode whose patterns are candidates
CANDIDATES_PER_WANTED = 4
WIDTH = 0.2  # of the kernel on task similarity
CACHED_EPISODES = 4_096
BASE_NEIGHBOURS = 50  # whose success rate a pattern must differ from to tell anything
AVOIDING = 0.5  # what it is worth to know what not to do, against what to do
KIND_WEIGHTS = {  # how much a kind tells: an error's answer most, a bare pair of tools least
    PatternKind.ERROR_RECOVERY: 1.0,
    PatternKind.CONTEXT: 0.9,
    PatternKind.DECISION_POINT: 0.8,
    PatternKind.TOOL_SEQUENCE: 0.7,
}

Key = tuple[PatternKind, str]  # kind and description: costs no hashing, and tells apart all that matters here
Scored = tuple[Pattern, float, Mapping[str, float]]
ReadPatterns = Callable[[Sequence[str], str], list[Pattern]]  # (ids, project) -> patterns with that project's counts


class Relevance:
    """Ranks patterns for a task."""

    def __init__(self, experience: Experience, read: ReadPatterns, trust: Trust) -> None:
        self._x, self._read, self._trust = experience, read, trust
        self._of_episode: OrderedDict[str, tuple[Observation, ...]] = OrderedDict()

    def relevant(self, project: str, neighbours: Sequence[tuple[str, float]], limit: int) -> list[Scored]:
        """Return (pattern with confidence, score in [0, 1], why), best first, no pattern inside another one that says as much."""
        weights: defaultdict[Key, float] = defaultdict(float)
        examples: dict[Key, Observation] = {}
        for episode_id, similarity in neighbours[:MAX_NEIGHBOURS]:
            if similarity < MIN_SIMILARITY:
                break
            for observation in self._observations(episode_id):
                key = _key(observation)
                weights[key] += math.exp((similarity - 1.0) / WIDTH)
                examples[key] = observation
        # Only the few candidates that are read are hashed: hashing all of them would cost more than the rest of this function.
        by_id = {examples[key].pattern_id: weights[key] for key in heaviest(weights, limit * CANDIDATES_PER_WANTED)}
        base = self._base_rate(neighbours)

        def scored(patterns: Sequence[Pattern]) -> list[Scored]:
            rows = [(p, *_score(p, by_id[p.id], base)) for p in patterns if not p.retired]
            return sorted(rows, key=lambda row: (-row[1], row[0].id))

        candidates = scored(self._trust.assess(self._read(list(by_id), project), validated=False)) if by_id else []
        best = [pattern for pattern, _, _ in without_parts(candidates)[:limit]]
        return scored(self._trust.assess(best))

    def _base_rate(self, neighbours: Sequence[tuple[str, float]]) -> float:
        rows = [row for key, _ in neighbours[:BASE_NEIGHBOURS] if (row := self._x.row(key)) is not None]
        return (sum(bool(self._x.success[row]) for row in rows) + 1.0) / (len(rows) + 2.0)

    def _observations(self, episode_id: str) -> tuple[Observation, ...]:
        known = self._of_episode.get(episode_id)
        row = self._x.row(episode_id)
        if known is None and row is not None:
            known = observations_of(run_of_trace(self._x.full_trace(row)))
            self._of_episode[episode_id] = known
            if len(self._of_episode) > CACHED_EPISODES:
                self._of_episode.popitem(last=False)
        return known or ()


def _key(observation: Observation) -> Key:
    return observation.kind, observation.description


def _score(pattern: Pattern, weight: float, base: float) -> tuple[float, Mapping[str, float]]:
    """Return the score and why: near the task, and a success rate that surely differs from that of tasks like it."""
    near = weight / (weight + 1.0)
    if pattern.kind is PatternKind.ERROR_RECOVERY:
        telling = pattern.confidence
    else:
        high = wilson(pattern.successes, pattern.successes + pattern.failures)[1]
        telling = max(pattern.confidence - base, AVOIDING * (base - high), 0.0)
    score = KIND_WEIGHTS[pattern.kind] * near * min(1.0, 0.1 * pattern.confidence + telling)
    return score, {"context": near, "confidence": pattern.confidence, "contrast": telling}


def heaviest(weights: Mapping[Key, float], limit: int) -> list[Key]:
    """Return the keys of greatest weight, each kind getting a quarter of the places before the rest is filled."""
    order = sorted(weights, key=lambda key: (-weights[key] * KIND_WEIGHTS[key[0]], key))
    taken: dict[Key, None] = {}
    for kind in KIND_WEIGHTS:
        taken |= dict.fromkeys([key for key in order if key[0] is kind][: max(1, limit // len(KIND_WEIGHTS))])
    return list(dict.fromkeys([*taken, *order]))[:limit]


def without_parts(scored: Sequence[Scored]) -> list[Scored]:
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
