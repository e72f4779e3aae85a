"""How far a pattern is to be trusted, computed at read time from counts, age, votes, use and later episodes. Pure.

Everything here shrinks: one success, one vote or one shown-and-used episode moves the number a little, and `explain` shows every step.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mcp_memory.domain.pattern import ConfidenceNumbers, Evidence, Pattern, Standing
from mcp_memory.domain.votes import NO_VOTES, VoteStats, net_vote
from mcp_memory.views.columns import Floats

Z_90_ONE_SIDED = 1.2816  # nine times in ten the true rate is above the lower bound
Z_95_TWO_SIDED = 1.96  # for the intervals that are reported and for retiring
DAY_MS = 86_400_000
CORRECTED_FACTOR = 0.2  # what is left of a corrected pattern: the correction outranks it
RETIRED_FACTOR = 0.1
VALIDATION_SHRINKAGE = 3.0  # pseudo-episodes in which the prediction came true
MIN_RETIRING_USES = 5
MIN_RETIRING_VOTES = 3.0
RETIRING_NET_VOTE = -0.4


@dataclass(frozen=True, slots=True)
class Usage:
    """Episodes that were shown a pattern, by whether their steps then used it."""

    used: int = 0
    used_successes: int = 0
    unused: int = 0
    unused_successes: int = 0

    @property
    def shown(self) -> int:
        return self.used + self.unused


@dataclass(frozen=True, slots=True)
class Validation:
    """What a pattern's earlier evidence predicted for its later evidence, and what happened; both are mean success rates."""

    count: int = 0
    predicted: float = 0.0
    happened: float = 0.0


NO_USE, NOT_VALIDATED = Usage(), Validation()


def wilson(successes: float, count: float, z: float = Z_90_ONE_SIDED) -> tuple[float, float]:
    """Return the score interval of a success rate: (0, 1) without evidence, ever narrower with more.

    Counts may be fractional (decayed). Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    JASA 22 (1927), 209-212.

    >>> low, high = wilson(8, 10)
    >>> round(low, 2), round(high, 2)
    (0.6, 0.91)
    """
    if count <= 0:
        return 0.0, 1.0
    rate, z2 = min(1.0, max(0.0, successes / count)), z * z
    centre = (rate + z2 / (2 * count)) / (1 + z2 / count)
    half = z * math.sqrt(rate * (1 - rate) / count + z2 / (4 * count * count)) / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def wilson_bounds(successes: Floats, counts: Floats, z: float = Z_95_TWO_SIDED) -> tuple[Floats, Floats]:
    """Return `wilson` of many rates at once; every count must be above 0."""
    rates, z2 = successes / counts, z * z
    centres = (rates + z2 / (2 * counts)) / (1 + z2 / counts)
    halves = z * np.sqrt(rates * (1 - rates) / counts + z2 / (4 * counts * counts)) / (1 + z2 / counts)
    return np.maximum(0.0, centres - halves), np.minimum(1.0, centres + halves)


def rate_difference(s1: int, n1: int, s2: int, n2: int, z: float = Z_95_TWO_SIDED) -> tuple[float, float, float]:
    """Return (difference, low, high) of two success rates, first minus second; (0, -1, 1) when either group is empty.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in Medicine 17 (1998),
    873-890, method 10 (from Wilson's bounds).
    """
    if not n1 or not n2:
        return 0.0, -1.0, 1.0
    p1, p2 = s1 / n1, s2 / n2
    (l1, u1), (l2, u2) = wilson(s1, n1, z), wilson(s2, n2, z)
    d = p1 - p2
    return d, d - math.hypot(p1 - l1, u2 - p2), d + math.hypot(u1 - p1, p2 - l2)


def validate(evidence: Iterable[Evidence]) -> Validation:
    """Return how a pattern's evidence held up on later episodes: each piece is predicted from all before it (law of succession)."""
    successes = count = 0
    predicted = happened = 0.0
    ordered = sorted(evidence, key=lambda x: (x.at_ms, x.episode_id))
    for piece in ordered:
        if count:
            predicted += (successes + 1) / (count + 2)
            happened += piece.success
        successes += piece.success
        count += 1
    later = max(1, count - 1)
    return Validation(max(0, count - 1), predicted / later, happened / later)


def holding_factor(validation: Validation) -> float:
    """Return what is left of a pattern's confidence after its predictions were compared with what happened, in (0, 1]."""
    shortfall = max(0.0, validation.predicted - validation.happened)
    return 1.0 - shortfall * validation.count / (validation.count + VALIDATION_SHRINKAGE)


def decayed(count: float, age_ms: float, half_life_days: float) -> float:
    """Return what evidence of that age still counts."""
    return float(count * 0.5 ** (max(0.0, age_ms) / DAY_MS / half_life_days))


def retirement(votes: VoteStats, usage: Usage) -> str:
    """Return why the pattern is retired; empty while it is not."""
    if min(usage.used, usage.unused) >= MIN_RETIRING_USES:
        _, _, high = rate_difference(usage.used_successes, usage.used, usage.unused_successes, usage.unused)
        if high < 0:
            return (
                f"episodes that used it succeeded in {usage.used_successes} of {usage.used}, "
                f"those that were shown it and did not in {usage.unused_successes} of {usage.unused}"
            )
    if votes.hindered >= MIN_RETIRING_VOTES and net_vote(votes) <= RETIRING_NET_VOTE:
        return f"it hindered: {votes.hindered:g} votes against {votes.helped:g}"
    return ""


def standing(usage: Usage, retired_because: str) -> Standing:
    """Return whether what followed speaks for going on to tell a pattern.

    >>> standing(Usage(5, 4, 5, 3), ""), standing(Usage(9, 9, 4, 0), "")
    (<Standing.KEPT: 'kept'>, <Standing.ON_TRIAL: 'on trial'>)
    """
    if retired_because:
        return Standing.RETIRED
    return Standing.KEPT if min(usage.used, usage.unused) >= MIN_RETIRING_USES else Standing.ON_TRIAL


def explain(
    pattern: Pattern,
    *,
    now_ms: int,
    half_life_days: float,
    votes: VoteStats = NO_VOTES,
    usage: Usage = NO_USE,
    validation: Validation = NOT_VALIDATED,
    contradicted: bool = False,
) -> ConfidenceNumbers:
    """Return every number the confidence is made of, and `confidence` and `retired` themselves.

    lower bound of the success rate over decayed counts -> times what held on later episodes -> moved by the shrunk net vote ->
    cut when corrected or retired.
    """
    age_ms = now_ms - pattern.last_at_ms
    count = decayed(pattern.successes + pattern.failures, age_ms, half_life_days)
    successes = decayed(pattern.successes, age_ms, half_life_days)
    low, high = wilson(successes, count)
    holding = holding_factor(validation)
    vote = net_vote(votes)
    value = low * holding
    value += vote * (1.0 - value) if vote > 0 else vote * value
    reason = f"contradicted: {pattern.corrected_by}" if contradicted else retirement(votes, usage)
    value *= (CORRECTED_FACTOR if pattern.corrected_by else 1.0) * (RETIRED_FACTOR if reason else 1.0)
    return ConfidenceNumbers(
        successes=pattern.successes,
        failures=pattern.failures,
        age_days=round(max(0, age_ms) / DAY_MS, 2),
        half_life_days=half_life_days,
        decayed_count=round(count, 3),
        wilson_low=round(low, 4),
        wilson_high=round(high, 4),
        validated_on=validation.count,
        predicted=round(validation.predicted, 4),
        happened=round(validation.happened, 4),
        holding_factor=round(holding, 4),
        helped=round(votes.helped, 3),
        hindered=round(votes.hindered, 3),
        net_vote=round(vote, 4),
        corrected_by=pattern.corrected_by,
        retired=bool(reason),
        retired_because=reason,
        confidence=round(max(0.0, min(1.0, value)), 4),
    )


def with_confidence(pattern: Pattern, numbers: ConfidenceNumbers, votes: VoteStats = NO_VOTES) -> Pattern:
    """Return *pattern* with the confidence, the votes and the retirement that `explain` found."""
    return replace(
        pattern,
        confidence=numbers.confidence,
        retired=numbers.retired,
        helped=votes.helped,
        hindered=votes.hindered,
        shown=votes.shown,
        used=votes.used,
    )


def best_first(patterns: Sequence[Pattern]) -> list[Pattern]:
    """Return the patterns that are not retired, the most trusted first."""
    return sorted((p for p in patterns if not p.retired), key=lambda p: (-p.confidence, -p.support, p.id))
