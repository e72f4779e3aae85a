"""From candidates with raw scores to ranked matches. Pure functions over small arrays; one entry a candidate.

Text decides: lexical and semantic scores become z-scores over the candidates and are blended. On top, in units of one standard
deviation of the text score, come the context, the outcome, feedback and recency. Then attempts at one and the same task support each
other, so that the right *task* is found by its best-matching attempt and the best *attempt* is shown first; and near-duplicates of what
is above step back a little. Sources and figures: docs/design.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.episode import OutcomeKind, TaskType, Trace
from mcp_memory.domain.query import Filter
from mcp_memory.retrieval.catalog import in_time

DAY_MS = 86_400_000
# Context, in standard deviations of the text score. A framework (a library, a repository) says most about what a task needs.
FRAMEWORK, DOMAIN, LANGUAGE, TASK_TYPE, TAGS = 1.5, 0.5, 0.25, 0.25, 0.5
OUTCOME_ASKED, TIME_ASKED = 1.0, 0.5  # filters that are boosts
VALUE = {OutcomeKind.SUCCESS: 1.0, OutcomeKind.PARTIAL: 0.5, OutcomeKind.ABSTAINED: 0.25, OutcomeKind.FAILURE: 0.0}
SAME_TASK = 0.7  # cosine of the task texts above which two episodes are attempts at one task
SUPPORT = 0.4  # share of the score an attempt takes from the best attempt at the same task
NEAR_DUPLICATE = 0.9  # cosine above which an episode repeats another
FOLD_PENALTY = 0.2  # standard deviations, for each near-duplicate ranked above
RERANKED = 60  # best candidates that are compared with each other


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the searches found: traces, lexical scores (0: no hit), cosines (NaN: no vector), vectors for comparing candidates."""

    traces: Sequence[Trace]
    lexical: np.ndarray
    semantic: np.ndarray


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


def z_scores(values: np.ndarray) -> np.ndarray:
    """Return (x - mean) / standard deviation over the finite entries; 0 for the others, and where all are alike."""
    known = np.isfinite(values)
    result = np.zeros(len(values))
    if known.any() and (spread := float(values[known].std())) > 1e-9:
        result[known] = (values[known] - values[known].mean()) / spread
    return result


def score(candidates: Candidates, where: Filter, votes: Sequence[float], now_ms: int, config: RetrievalConfig) -> Scored:
    """Return the components of every candidate's score, in standard deviations of the text score."""
    has_text, has_vectors = bool((candidates.lexical > 0).any()), bool(np.isfinite(candidates.semantic).any())
    dense = config.dense_weight if has_text and has_vectors else float(has_vectors)
    days = np.array([max(0, now_ms - t.ended_at_ms) / DAY_MS for t in candidates.traces])
    return Scored(
        lexical=(1 - dense) * z_scores(candidates.lexical),
        semantic=dense * z_scores(candidates.semantic),
        context=config.context_weight * np.array([context_match(where, t) for t in candidates.traces]),
        value=config.value_weight * np.array([value_of(where, t) for t in candidates.traces]),
        recency=config.recency_weight * 0.5 ** (days / config.recency_half_life_days),
        feedback=config.feedback_weight * np.asarray(votes, float),
    )


def context_match(where: Filter, trace: Trace) -> float:
    """Return how well an episode's context meets the one asked for: 0 when nothing was said or nothing meets."""
    total = 0.0
    for wanted, has, weight in (
        (where.framework, trace.framework, FRAMEWORK),
        (where.domain, trace.domain, DOMAIN),
        (where.language, trace.language, LANGUAGE),
        (where.task_type if where.task_type != TaskType.OTHER else "", trace.task_type, TASK_TYPE),
    ):
        total += weight * (bool(wanted) and wanted.casefold() == has.casefold())
    if where.tags:
        wanted_tags, tags = {t.casefold() for t in where.tags}, {t.casefold() for t in trace.tags}
        total += TAGS * len(wanted_tags & tags) / len(wanted_tags | tags)
    if where.since_ms is not None or where.until_ms is not None:
        total += TIME_ASKED * in_time(where, trace)
    return total


def value_of(where: Filter, trace: Trace) -> float:
    """Return what the episode is worth as an example, in [0, 1]; when an outcome is asked for, whether it is that one."""
    if where.outcome:
        return OUTCOME_ASKED * (where.outcome == trace.outcome)
    return VALUE[OutcomeKind(trace.outcome)]


def supported(relevance: np.ndarray, likeness: np.ndarray) -> np.ndarray:
    """Return relevance blended with that of the best attempt at the same task. `likeness`: cosines of the candidates' tasks (n, n)."""
    same = likeness > SAME_TASK
    np.fill_diagonal(same, True)
    best = np.where(same, relevance[None, :], -np.inf).max(axis=1)
    blended: np.ndarray = (1 - SUPPORT) * relevance + SUPPORT * best
    return blended


def fold(totals: np.ndarray, likeness: np.ndarray) -> tuple[np.ndarray, list[list[int]]]:
    """Return the order, best first, in which near-duplicates of better candidates have stepped back, and each one's near-duplicates."""
    order = np.argsort(-totals, kind="stable")
    repeats = likeness[np.ix_(order, order)] > NEAR_DUPLICATE
    above = np.tril(repeats, -1)
    adjusted = totals[order] - FOLD_PENALTY * above.sum(axis=1)
    final = order[np.argsort(-adjusted, kind="stable")]
    twins = [[int(j) for j in np.flatnonzero(likeness[i] > NEAR_DUPLICATE) if j != i] for i in range(len(totals))]
    return final, twins


def to_unit(total: float) -> float:
    """Return a score in (0, 1) that grows with *total*; an average candidate without any bonus is at one half."""
    return float(1 / (1 + np.exp(-total / 1.5)))
