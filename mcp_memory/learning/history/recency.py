"""Whether what was done lately is what was always done: long memory while the world stands still, short memory once it has changed. Pure.

Two predictors of the same tries, one that counts all of them alike and one that forgets, are blended by how well each foretold the
latest tries ("tracking the best expert": Herbster and Warmuth, Machine Learning 32, 1998). Where nothing changed the long one is right
more often and keeps its say; after a change the short one is ahead within a few tries, however many old ones there are.
"""

import numpy as np

from mcp_memory.views.columns import Bools, Floats, Ints, fading, standing_before

HALF = 2.0  # tries after which the short memory has forgotten half
JUDGED_HALF = 6.0  # tries after which a forecast counts half in the comparison of the two
CALM = -1.5  # nats for the short memory beforehand: changes are rare
MAX_SHARE = 0.9  # the short memory alone would have nothing to say beyond the last tries
SMOOTHING = 0.5  # pseudo-tries of what is usual
MAX_TRIES = 400  # the latest


def tracked(choice: Ints, weight: Floats, usual: Floats, source: Ints) -> Floats:
    """Return what each choice counts after tries in order of time; the sum is that of the weights. O(n log n).

    Args:
        choice: What was tried, oldest first: numbers below `len(usual)`.
        weight: What each try counts, at least 0.
        usual: Probabilities of the choices before any try, all positive.
        source: Which episode each try is of: those of one count as one try when the two memories are compared.

    >>> def share(old, new):
    ...     n = old + new
    ...     counts = tracked(np.array([0] * old + [1] * new), np.ones(n), np.full(2, 0.5), np.arange(n))
    ...     return float(counts[1]) / n
    >>> share(20, 1) < 0.2, share(20, 5) > 0.5
    (True, True)
    """
    counts = np.bincount(choice, weights=weight, minlength=len(usual)).astype(np.float64)
    _, of, n = np.unique(source, return_inverse=True, return_counts=True)
    choice, weight = choice[-MAX_TRIES:], (weight / n[of])[-MAX_TRIES:]
    total = float(weight.sum())
    if len(choice) < 2 or total <= 0:
        return counts
    age = total - np.cumsum(weight)  # tries since, by weight
    order = np.argsort(choice, kind="stable")
    fresh = weight * np.exp2(-age / HALF)
    grown = np.exp2(np.minimum(age + weight, 200 * HALF) / HALF)
    older, lately = _before(choice, order, weight), _before(choice, order, fresh) * grown
    all_older = np.cumsum(weight) - weight
    all_lately = (np.cumsum(fresh) - fresh) * grown
    known = usual[choice] * SMOOTHING
    gain = np.log((lately + known) / (all_lately + SMOOTHING)) - np.log((older + known) / (all_older + SMOOTHING))
    ahead = float((weight * np.exp2(-age / JUDGED_HALF)) @ gain) + CALM
    share = 1.0 / (1.0 + np.exp(-min(30.0, max(-30.0, ahead))))
    short = np.bincount(choice, weights=fresh, minlength=len(usual)) + SMOOTHING * usual
    share = MAX_SHARE * share
    return np.asarray((1.0 - share) * counts + share * counts.sum() * short / short.sum())


def worked_share(choice: Ints, weight: Floats, worked: Bools, half: float, usual: Floats, pseudo: float) -> Floats:
    """Return per choice the share of its tries that worked, each counting half of what came *half* tries later.

    Args:
        choice: What was tried, oldest first: numbers below `len(usual)`.
        weight: What each try counts, at least 0.
        worked: Which of them worked.
        half: Tries of one choice after which an earlier one counts half.
        usual: The share of each choice before any try.
        pseudo: The tries that *usual* counts as.

    >>> worked_share(np.array([0, 0, 1]), np.ones(3), np.array([False, True, True]), 1.0, np.ones(2), 1.0).tolist()
    [0.8, 1.0]
    """
    order = np.arange(len(choice))[::-1]
    order = order[np.argsort(choice[order], kind="stable")]  # by choice, newest first
    counts = fading(choice[order], weight[order], half)
    good = np.bincount(choice[order], weights=counts * worked[order], minlength=len(usual))
    return np.asarray((good + pseudo * usual) / (np.bincount(choice[order], weights=counts, minlength=len(usual)) + pseudo))


def _before(choice: Ints, order: Ints, weight: Floats) -> Floats:
    """Return for each try the weight of the earlier ones of the same choice."""
    out = np.empty(len(weight))
    out[order] = standing_before(choice[order], weight[order])
    return out
