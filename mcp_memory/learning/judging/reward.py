"""Episode to reward: a number in [0, 1] with its components, from the outcome, the steps and the memory's own history. Pure.

Each kind of outcome has a band of its own, so a success outranks every failure however clumsy it was; inside the band the components
decide. A success that its own last test run contradicts gets a lower band, still above every failure.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mcp_memory.domain.episode import QUALITY, USUAL_QUALITY, Episode, Outcome, OutcomeKind, Reward, Trace
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.learning.reading.step_signs import Signs, read

BANDS = {  # outcome kind: the lowest and the highest score
    OutcomeKind.SUCCESS: (0.70, 1.00),
    OutcomeKind.PARTIAL: (0.35, 0.62),
    OutcomeKind.ABSTAINED: (0.26, 0.32),  # better to stop and say so than to fail
    OutcomeKind.FAILURE: (0.00, 0.24),
}
CONTRADICTED = (0.40, 0.60)  # a claimed success whose last test run failed, or that was rejected
WEIGHTS = {"efficiency": 0.35, "recovery": 0.2, QUALITY: 0.35, "novelty": 0.1}

PRIOR_STEPS = 12.0  # the middle of what agents' runs take where the memory has no history; worth PRIOR_WEIGHT episodes
PRIOR_SPREAD = 0.8  # of log(steps): one spread up is 2.2 times as many
PRIOR_WEIGHT = 4.0
MAD_TO_SPREAD = 1.4826  # the standard deviation of a normal distribution in median absolute deviations
MIN_SPREAD = 0.25  # two attempts of equal length do not make a third one 10 % longer an outlier
DURATION_SHARE = 0.25  # of efficiency, where both sides have durations: waiting for a model or a person says little


@dataclass(frozen=True, slots=True)
class History:
    """Earlier episodes of the same kind of task, as the memory has them."""

    step_counts: tuple[int, ...] = ()  # of those that succeeded
    durations_ms: tuple[int, ...] = ()  # of those that succeeded; 0 where not known
    attempts: int = 0  # at nearly the same task, whatever their outcome


def history_of(earlier: Sequence[tuple[Trace, float, int]]) -> History:
    """Return what earlier attempts, given with how alike their tasks are and how many steps they took, say of such a task."""
    good = [(t, steps) for t, _, steps in earlier if t.success]
    return History(
        step_counts=tuple(steps for _, steps in good),
        durations_ms=tuple(max(0, t.ended_at_ms - t.started_at_ms) for t, _ in good),
        attempts=sum(similarity >= SAME_TASK for _, similarity, _ in earlier),
    )


def reward(episode: Episode, history: History = History(), signs: Signs | None = None) -> Reward:
    """Return the reward of *episode*, which has its outcome and its steps.

    Works without a model and without a rating. Cost: reading the signs, some ten microseconds a step.

    Args:
        episode: Any closed episode.
        history: What the memory knows of the same kind of task; empty for the first.
        signs: `step_signs.read(episode.steps)`, when the caller has them already.
    """
    assert episode.outcome is not None
    signs = read(episode.steps) if signs is None else signs
    contradicted = episode.success and is_contradicted(signs)
    components = {
        "outcome": sum(CONTRADICTED) / 2 if contradicted else outcome_value(episode.outcome),
        "efficiency": efficiency(signs, _duration_ms(episode), history),
        "recovery": recovery(signs),
        QUALITY: quality(signs),
        "novelty": 1.0 / (1.0 + history.attempts),
    }
    low, high = CONTRADICTED if contradicted else BANDS[episode.outcome.kind]
    inside = sum(weight * components[name] for name, weight in WEIGHTS.items())
    if episode.partial:
        inside = (inside + components["outcome"]) / 2  # how much was done counts as much as how
    return Reward(round(low + (high - low) * inside, 4), {name: round(value, 4) for name, value in components.items()})


def outcome_value(outcome: Outcome) -> float:
    """Return what the outcome alone is worth; a partial one by the share of its items that were completed."""
    if outcome.kind is OutcomeKind.PARTIAL:
        items = len(outcome.completed) + len(outcome.failed)
        return (len(outcome.completed) + 1) / (items + 2)
    return {OutcomeKind.SUCCESS: 1.0, OutcomeKind.ABSTAINED: 0.3}.get(outcome.kind, 0.0)


def is_contradicted(signs: Signs) -> bool:
    """Return whether the steps deny a claimed success: the last test run failed, or the last answer was a rejection."""
    return signs.verdict < 0 or bool(signs.last_tests and signs.last_tests.failed)


def efficiency(signs: Signs, duration_ms: int, history: History) -> float:
    """Return how short the way was: 0.5 as long as a typical success of this kind, towards 1 shorter, towards 0 longer.

    Robust location and spread (median, MAD) of log steps, shrunk to a prior worth four episodes. Steps that repeated what
    was known already count against it.
    """
    if not signs.step_count:
        return 0.5
    surprise = _surprise(signs.step_count, history.step_counts, math.log1p(PRIOR_STEPS), PRIOR_WEIGHT)
    known = [d for d in history.durations_ms if d > 0]
    if duration_ms > 0 and known:
        slower = _surprise(duration_ms, known, math.log1p(duration_ms), PRIOR_WEIGHT)  # the prior: as long as it took
        surprise = (1 - DURATION_SHARE) * surprise + DURATION_SHARE * slower
    waste = len(signs.repeats) / signs.step_count
    return (1.0 - waste) / (1.0 + math.exp(max(-30.0, min(30.0, surprise))))


def _surprise(value: float, known: Sequence[float], prior: float, prior_weight: float) -> float:
    """Return by how many spreads log(1 + *value*) lies above the typical one."""
    logs = [math.log1p(x) for x in known]
    middle = median(logs) if logs else prior
    spread = MAD_TO_SPREAD * median([abs(x - middle) for x in logs]) if logs else PRIOR_SPREAD
    n = len(logs)
    typical = (n * middle + prior_weight * prior) / (n + prior_weight)
    shrunk = (n * spread + prior_weight * PRIOR_SPREAD) / (n + prior_weight)
    return (math.log1p(value) - typical) / max(MIN_SPREAD, shrunk)


def recovery(signs: Signs) -> float:
    """Return the share of failed steps whose call succeeded later, with one pseudo-success; 1 without failures."""
    return (len(signs.recovered) + 1) / (len(signs.failed) + 1)


def quality(signs: Signs) -> float:
    """Return how sound the work looks from its steps alone: tests, the last verdict, errors left standing, reverts, repeats.

    0.5 where the steps show nothing either way. The terms' sizes are a judgement, not a fit.
    """
    if not signs.step_count:
        return 0.5
    value = USUAL_QUALITY + 0.4 * signs.verdict
    tests = signs.last_tests
    if tests is not None and tests.passed + tests.failed:
        value += 0.4 if not tests.failed else -0.3 - 0.2 * tests.failed / (tests.passed + tests.failed)
    value -= 0.3 * (1 - 0.5 ** len(signs.standing))
    value -= 0.2 * len(signs.failed) / signs.step_count
    value -= 0.1 * (1 - 0.5 ** len(signs.reverts))
    value -= 0.2 * len(signs.repeats) / signs.step_count
    return max(0.0, min(1.0, value))


def _duration_ms(episode: Episode) -> int:
    steps = sum(step.duration_ms or 0 for step in episode.steps)
    return steps or max(0, (episode.ended_at_ms or 0) - episode.started_at_ms)
