"""Which patterns are worth showing for a task: those of the episodes like it, by how often and how surely they held.

The store says in one read which patterns the nearest episodes are evidence for and how these were counted; only the few best are read
whole and assessed.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from mcp_memory.domain.pattern import ANSWERS, Pattern, PatternKind
from mcp_memory.learning.history.lasting import StaleAnswers
from mcp_memory.learning.patterns.assessing import Assessor
from mcp_memory.learning.patterns.confidence import CORRECTED_FACTOR, wilson, wilson_bounds
from mcp_memory.ports import PatternTally, Store
from mcp_memory.views.view import View
from mcp_memory.views.vouching import Vouching

MAX_NEIGHBOURS = 3  # episodes whose patterns are candidates; an episode has some fifty
MIN_SIMILARITY = 0.35  # of an episode whose patterns are candidates: below it lie tasks that have nothing to do with each other
MAX_ANSWERS = 60  # answers read whole for an error that is quoted
MIN_SUPPORT = 2  # episodes: what one run did is no pattern yet
MIN_CONFIDENCE, MIN_TELLING = 0.35, 0.1  # a pattern that neither holds nor surely differs from what is usual tells nothing
CANDIDATES_PER_WANTED = 2  # read whole, to leave out parts of others and what is retired
WIDTH = 0.2  # of the kernel on task similarity
BASE_NEIGHBOURS = 50  # whose success rate a pattern must differ from to tell anything
AVOIDING = 0.5  # what it is worth to know what not to do, against what to do
KIND_WEIGHTS = {  # how much a kind tells: an error's answer most, a bare pair of tools least
    PatternKind.ERROR_RECOVERY: 1.0,
    PatternKind.ARGUMENT_CHANGE: 1.0,
    PatternKind.CONTEXT: 0.9,
    PatternKind.DECISION_POINT: 0.8,
    PatternKind.TOOL_SEQUENCE: 0.7,
}

Scored = tuple[Pattern, float, Mapping[str, float]]


class Relevance:
    """Ranks patterns for a task, during one read."""

    def __init__(self, v: View, store: Store, assessor: Assessor) -> None:
        self._v, self._store, self._assessor = v, store, assessor

    def relevant(self, project: str, neighbours: Sequence[tuple[str, float]], limit: int) -> list[Scored]:
        """Return (pattern with confidence, score in [0, 1], why), verified and then best first; none inside another that says as much."""
        near = {
            key: math.exp((similarity - 1.0) / WIDTH) for key, similarity in neighbours[:MAX_NEIGHBOURS] if similarity >= MIN_SIMILARITY
        }
        if not near:
            return []
        weights: defaultdict[str, float] = defaultdict(float)
        tallies: dict[str, PatternTally] = {}
        for tally in self._store.pattern_tallies(list(near), project=project):
            weights[tally.pattern_id] += near[tally.episode_id]
            tallies[tally.pattern_id] = tally
        base = self._base_rate(neighbours)
        chosen = heaviest(_first_scores(list(tallies.values()), weights, base), tallies, limit)
        read = self._store.patterns(ids=chosen, project=project, limit=len(chosen)) if chosen else []
        places = {key: place for place, key in enumerate(chosen)}
        whole = without_parts(sorted(read, key=lambda p: places[p.id]))
        assessed = [p for p in self._assessor.assess(self._v, whole[: limit + 1]) if not p.retired]
        rows = [(p, *_score(p, weights[p.id], base)) for p in assessed]
        telling = [row for row in rows if tells(row[0], row[2]["contrast"])]
        ranked = sorted(telling, key=lambda row: (not row[0].is_verified, -row[1], row[0].id))[:limit]
        return ranked if self._may_lead(project, ranked) else []

    def _may_lead(self, project: str, ranked: Sequence[Scored]) -> bool:
        """Whether the first may come first: among several agents only what two sources say."""
        x = self._v.experience
        return not ranked or ranked[0][0].is_verified or x.derived(Vouching).is_alone(project, "")

    def answering(self, project: str, signatures: Collection[str], met: Collection[str], limit: int) -> list[Scored]:
        """Return the recoveries of exactly these errors that worked, or were corrected, with score and why, the surest first.

        Args:
            project: Whose evidence counts.
            signatures: Of the errors.
            met: Episodes that met them.
            limit: How many at most.
        """
        tallies = self._store.pattern_tallies(list(met), project=project, kinds=ANSWERS)
        best = sorted({t.pattern_id: t for t in tallies}.values(), key=lambda t: (t.failures - t.successes, t.pattern_id))[:MAX_ANSWERS]
        read = self._store.patterns(ids=[t.pattern_id for t in best], project=project, limit=MAX_ANSWERS) if best else []
        exact = [p for p in read if p.content.get("error") in signatures and (p.says_what or p.corrected_by)]
        lasting = [p for p in exact if p.corrected_by or self._works_still(project, p)]
        assessed = [p for p in self._assessor.assess(self._v, lasting) if not p.retired and (p.successes or p.corrected_by)]
        chosen = sorted(assessed, key=lambda p: (not p.is_verified, not p.corrected_by, -p.confidence, -p.successes, p.id))[:limit]
        scored: list[Scored] = [(p, 1.0, {"context": 1.0, "confidence": p.confidence, "contrast": p.confidence}) for p in chosen]
        return scored if self._may_lead(project, scored) else []

    def _works_still(self, project: str, pattern: Pattern) -> bool:
        """Return whether what a pattern says was tried still answers its error in the project; an argument's change is not looked at."""
        x = self._v.experience
        failures, content = x.failures, pattern.content
        tool, sig, tried = (
            x.tools.find(str(content["tool"])),
            x.signatures.find(content["error"]),
            x.tools.find(str(content.get("try", ""))),
        )
        if tried < 0:
            return True
        same = (failures.failed == tool) & (failures.signature == sig) & (failures.by == tried)
        answered = np.flatnonzero(same & x.in_project(project)[failures.row])
        return not len(answered) or not np.isin(answered, x.derived(StaleAnswers).to(project, tool, sig)).all()

    def _base_rate(self, neighbours: Sequence[tuple[str, float]]) -> float:
        x = self._v.experience
        rows, _ = x.rows_of(neighbours[:BASE_NEIGHBOURS])
        return (int(x.success[rows].sum()) + 1.0) / (len(rows) + 2.0)


def tells(pattern: Pattern, contrast: float) -> bool:
    """Return whether a pattern is worth a line: corrected by a person, or told by two episodes and holding.

    What everybody does goes with the usual rate and tells nothing: sequences and choices are told only where they beat it.
    """
    if pattern.corrected_by:
        return True
    if pattern.support < MIN_SUPPORT or not pattern.says_what:
        return False
    if pattern.confidence < MIN_CONFIDENCE:
        return False
    return pattern.kind in (*ANSWERS, PatternKind.CONTEXT) or contrast >= MIN_TELLING


def _first_scores(tallies: Sequence[PatternTally], weights: Mapping[str, float], base: float) -> dict[str, float]:
    """Return the scores by the bare counts: neither age nor votes, which are looked at for the few best only. All at once."""
    weight_of = {str(kind): weight for kind, weight in KIND_WEIGHTS.items()}
    successes = np.array([t.successes for t in tallies], float)
    low, high = wilson_bounds(successes, successes + np.array([t.failures for t in tallies], float))
    weight = np.array([weights[t.pattern_id] for t in tallies])
    kind = np.array([weight_of[t.kind] for t in tallies])
    recovery = np.array([t.kind in ANSWERS for t in tallies])
    telling = np.where(recovery, low, np.maximum(np.maximum(low - base, AVOIDING * (base - high)), 0.0))
    scores = kind * weight / (weight + 1.0) * np.minimum(1.0, 0.1 * low + telling)
    return dict(zip((t.pattern_id for t in tallies), scores.tolist(), strict=True))


def _score(pattern: Pattern, weight: float, base: float) -> tuple[float, Mapping[str, float]]:
    """Return the score and why: near the task, and a success rate that surely differs from that of tasks like it."""
    near = weight / (weight + 1.0)
    confidence = pattern.confidence / (
        CORRECTED_FACTOR if pattern.corrected_by else 1.0
    )  # a correction is shown where what it corrects was
    if pattern.kind in ANSWERS:
        telling = confidence
    else:
        high = wilson(pattern.successes, pattern.successes + pattern.failures)[1]
        telling = max(confidence - base, AVOIDING * (base - high), 0.0)
    score = KIND_WEIGHTS[pattern.kind] * near * min(1.0, 0.1 * confidence + telling)
    return score, {"context": near, "confidence": pattern.confidence, "contrast": telling}


def heaviest(scores: Mapping[str, float], tallies: Mapping[str, PatternTally], limit: int) -> list[str]:
    """Return the ids of the best scores, each kind getting a quarter of the places before the rest is filled."""
    places = limit * CANDIDATES_PER_WANTED
    order = [key for _, key in sorted((-score, key) for key, score in scores.items())]
    room = dict.fromkeys(map(str, KIND_WEIGHTS), max(1, places // len(KIND_WEIGHTS)))
    first: list[str] = []
    for key in order:
        if room[tallies[key].kind]:
            room[tallies[key].kind] -= 1
            first.append(key)
    chosen = list(dict.fromkeys([*first, *order[:places]]))[:places]
    return sorted(chosen, key=lambda key: (-scores[key], key))


def without_parts(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Leave out tool sequences that are part of a longer one with the same counts (what miners call not closed)."""
    tools = {p.id: tuple(p.content["tools"]) for p in patterns if p.kind is PatternKind.TOOL_SEQUENCE}
    counts = {p.id: (p.successes, p.failures) for p in patterns}
    whole = [
        key
        for key, mine in tools.items()
        if not any(len(other) > len(mine) and counts[o] == counts[key] and is_part(mine, other) for o, other in tools.items())
    ]
    return [p for p in patterns if p.id not in tools or p.id in whole]


def is_part(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Return whether *part* is a subsequence of *whole*.

    >>> is_part(["a", "c"], ["a", "b", "c"])
    True
    """
    rest = iter(whole)
    return all(tool in rest for tool in part)
