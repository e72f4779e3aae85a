"""From candidates with raw scores to ranked matches. Pure functions over small arrays; one entry a candidate.

Text decides: lexical and semantic scores become z-scores over the candidates and are blended. On top, in units of one standard
deviation of the text score, come the context, the outcome, feedback and recency. Then attempts at one and the same task support each
other, so that the right *task* is found by its best-matching attempt and the best *attempt* is shown first. Sources: docs/design.md,
figures: docs/measurements.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.episode import OutcomeKind, TaskType, Trace
from mcp_memory.domain.filtering import in_time
from mcp_memory.domain.query import Filter

DAY_MS = 86_400_000
# Context, in standard deviations of the text score. A framework (a library, a repository) says most about what a task needs.
CONTEXT_WEIGHTS = (("framework", 1.5), ("domain", 0.5), ("language", 0.25), ("task_type", 0.25))
TAGS = 0.5  # times the share of tags in common
SAME_ERROR = 2.0  # times the worth of having met the very error that the query quotes
OUTCOME_ASKED, TIME_ASKED = 1.0, 0.5  # filters that are boosts
VALUE: Mapping[str, float] = {OutcomeKind.SUCCESS: 1.0, OutcomeKind.PARTIAL: 0.5, OutcomeKind.ABSTAINED: 0.25, OutcomeKind.FAILURE: 0.0}
SAME_TASK_COSINE = 0.7  # cosine of the task texts above which two episodes are attempts at one task
SUPPORT = 0.3  # share of the score an attempt takes from the best attempt at the same task
TYPICAL_MATCH = 3.0  # the fifth of twenty matches among 2,271 short requests, in standard deviations
SAME_TEXT_COSINE = (
    0.99  # above which they are attempts at the very same one; with the cosine above, in a crowd of alike tasks recall@5 .855 → .847
)
SOUND = 0.75  # between attempts at one task: of the best and the worst that their steps can look, in standard deviations
UNLIKE = 0.5  # share of its own outcome that counts of a task as unlike the nearest as any other
UNLIKE_COSINE, LIKE_COSINE = 0.2, 0.5  # of two unrelated tasks, and from which on an outcome counts in full
ALIKE = 0.5  # standard deviations of the text score within which attempts at the very same task are equally near to a query
TIE_DIGITS = 3  # of what attempts are worth: an hour of age is no reason to come before one that is nearer
RERANKED = 60  # best candidates that are compared with each other


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the searches found: traces, lexical scores (0: no hit), cosines (NaN: no vector), vectors for comparing candidates."""

    traces: Sequence[Trace]
    lexical: np.ndarray
    semantic: np.ndarray
    errors: np.ndarray | float = 0.0  # worth of having met an error that the query quotes, in [0, 1]
    least_spread: float = 0.0  # of cosines: candidates that are all about as near differ by less than a standard deviation


@dataclass(frozen=True, slots=True)
class Scored:
    """The components of every candidate's score, and their sum."""

    lexical: np.ndarray
    semantic: np.ndarray
    context: np.ndarray
    value: np.ndarray
    recency: np.ndarray
    feedback: np.ndarray

    @property
    def relevance(self) -> np.ndarray:
        total: np.ndarray = self.lexical + self.semantic + self.context
        return total

    @property
    def worth(self) -> np.ndarray:
        total: np.ndarray = self.value + self.recency + self.feedback
        return total


def z_scores(values: np.ndarray, least_spread: float = 0.0) -> np.ndarray:
    """Return (x - mean) / standard deviation over the finite entries; 0 for the others, and where all are alike.

    A standard deviation less than *least_spread* is taken as that.
    """
    known = np.isfinite(values)
    result = np.zeros(len(values))
    if known.any() and (spread := max(float(values[known].std()), least_spread)) > 1e-9:
        result[known] = (values[known] - values[known].mean()) / spread
    return result


def score(candidates: Candidates, where: Filter, votes: Sequence[float], now_ms: int, config: RetrievalConfig) -> Scored:
    """Return the components of every candidate's score, in standard deviations of the text score."""
    has_text, has_vectors = bool((candidates.lexical > 0).any()), bool(np.isfinite(candidates.semantic).any())
    dense = config.dense_weight if has_text and has_vectors else float(has_vectors)
    days = np.maximum(0, now_ms - np.array([t.ended_at_ms for t in candidates.traces], np.int64)) / DAY_MS
    return Scored(
        lexical=(1 - dense) * z_scores(candidates.lexical),
        semantic=dense * z_scores(candidates.semantic, candidates.least_spread),
        context=config.context_weight * (context_matches(where, candidates.traces) + SAME_ERROR * candidates.errors),
        value=config.value_weight * np.array(values_of(where, candidates.traces), float),
        recency=config.recency_weight * 0.5 ** (days / config.recency_half_life_days),
        feedback=config.feedback_weight * np.asarray(votes, float),
    )


def context_matches(where: Filter, traces: Sequence[Trace]) -> np.ndarray:
    """Return how well each episode's context meets the one asked for: 0 where nothing was said or nothing meets."""
    asked = [
        (name, getattr(where, name).casefold(), weight)
        for name, weight in CONTEXT_WEIGHTS
        if getattr(where, name) and not (name == "task_type" and where.task_type == TaskType.OTHER)
    ]
    tags = {t.casefold() for t in where.tags}
    timed = where.since_ms is not None or where.until_ms is not None
    totals = np.zeros(len(traces))
    if not (asked or tags or timed):
        return totals
    for i, trace in enumerate(traces):
        for name, wanted, weight in asked:
            if getattr(trace, name).casefold() == wanted:
                totals[i] += weight
        if tags:
            has = {t.casefold() for t in trace.tags}
            totals[i] += TAGS * len(tags & has) / len(tags | has)
        if timed:
            totals[i] += TIME_ASKED * in_time(where, trace.started_at_ms, trace.ended_at_ms)
    return totals


def values_of(where: Filter, traces: Sequence[Trace]) -> list[float]:
    """Return what each episode is worth as an example, in [0, 1]; when an outcome is asked for, whether it is that one."""
    if where.outcome:
        return [OUTCOME_ASKED * (where.outcome == trace.outcome) for trace in traces]
    return [VALUE[trace.outcome] for trace in traces]


def supported(relevance: np.ndarray, likeness: np.ndarray) -> np.ndarray:
    """Return relevance blended with that of the best attempt at the same task. `likeness`: cosines of the candidates' tasks (n, n)."""
    same = likeness > SAME_TASK_COSINE
    np.fill_diagonal(same, True)
    best = np.where(same, relevance[None, :], -np.inf).max(axis=1)
    blended: np.ndarray = (1 - SUPPORT) * relevance + SUPPORT * best
    return blended


def compared(value: np.ndarray, relevance: np.ndarray, likeness: np.ndarray) -> np.ndarray:
    """Return what outcomes are worth beside that of the nearest candidate: a task that is unlike its task takes half of that outcome.

    An outcome tells which attempt at a task to follow and hardly which task is meant: a success at something else is no better match.
    Tasks put in other words are alike by degrees (at a cosine of .66 to .85 for one customer's wish told twice), so it is no threshold.
    """
    if not len(value):
        return value
    nearest = int(np.argmax(relevance))
    own = UNLIKE + (1 - UNLIKE) * np.clip((likeness[nearest] - UNLIKE_COSINE) / (LIKE_COSINE - UNLIKE_COSINE), 0.0, 1.0)
    found: np.ndarray = own * value + (1 - own) * value[nearest]
    return found


def exchanged(
    relevance: np.ndarray, worth: np.ndarray, soundness: Callable[[np.ndarray], np.ndarray], likeness: np.ndarray, totals: np.ndarray
) -> np.ndarray:
    """Return *totals* after attempts at the very same task have exchanged theirs: of them the one that looks best comes first.

    Which of them has more of the query's words says nothing of which is better (.53 of 57 pairs on the development split), so a
    difference of ALIKE only breaks ties, and more counts as far as it goes beyond. What was said of an outcome can be wrong; what the
    steps show is a second witness. Both speak for an attempt against others at its task only: the task's places stay as they are, and
    *soundness* is asked of such attempts only.
    """
    same = likeness > SAME_TEXT_COSINE
    np.fill_diagonal(same, True)
    left = same.sum(axis=1) > 1
    found, ranked = totals.copy(), order(totals)
    for first in ranked[left[ranked]]:
        if left[first]:
            attempts = np.flatnonzero(same[first] & left)
            left[attempts] = False
            near = np.minimum(relevance[attempts], relevance[attempts].max() - ALIKE)
            merits = (near + worth[attempts] + SOUND * soundness(attempts)).round(TIE_DIGITS)
            found[attempts[np.lexsort((-relevance[attempts], -merits))]] = -np.sort(-totals[attempts])
    return found


def order(totals: np.ndarray) -> np.ndarray:
    """Return the order, best first.

    Further attempts at a task stand beneath their representative: nothing steps back for being like what is above. In a memory of many
    tasks that are alike, a penalty for it showed five attempts at other tasks before the second one at the right task.
    """
    best: np.ndarray = np.argsort(-totals, kind="stable")
    return best


def to_unit(total: float) -> float:
    """Return a score in (0, 1) that grows with *total*; one half is three standard deviations above the average candidate.

    So a clear match is near 1 and the tail near 0, and scores can be added up as votes.
    """
    return float(1 / (1 + np.exp(TYPICAL_MATCH - total)))
