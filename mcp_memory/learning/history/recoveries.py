"""What to try after an error: what followed errors like it, of the same tool first.

Alternatives come first on purpose: repeating the call is what an agent does anyway, so the same tool again is only proposed ahead of
the others when it is far more likely than any of them (`RETRY_DISCOUNT`), or when it is what overcame this very error (`SAME_ERROR`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcp_memory.learning.history.recency import tracked, worked_share
from mcp_memory.learning.reading.signatures import signature_words
from mcp_memory.views.columns import Bools, Floats, Ints
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

MESSAGE, SAME_TOOL, SAME_FAMILY = 3.0, 2.0, 2.0  # nats: message alike, same tool, same tool before the colon
TASK, TASK_WIDTH = 1.5, 0.2  # as in next_tool, weaker: an error says more than a task
LATE = 0.3  # nats per further step until it was fixed
PRIOR = 2.0  # pseudo-count of what usually follows a failure of this tool
TOOL_PRIOR = 2.0  # pseudo-count of what usually follows any failure in this context
RETRY_DISCOUNT = 0.15
SAME_ERROR, NEARLY_ALWAYS = 0.9, 0.9  # likeness of messages, and share of their fixes, from which the same tool again is not discounted
WORKED = 1.0  # power of the share of tries after such failures that worked
HALF_TRIES = 3.0  # newer tries of the tool after which one counts half
NEGLIGIBLE = 1e-3  # share of the heaviest weight below which a failure is not looked at
UNKNOWN_WORD = 0.5  # share of a rare word's weight that a word never seen in an error gets


@dataclass(frozen=True, slots=True)
class Recovered:
    """Scores per tool number after a failure, and the failures they rest on."""

    chances: Floats  # of working next; sums to at most 1
    scores: Floats  # by which to rank: the same, but for the failed tool itself, which is discounted
    fixes: Ints  # numbers of past failures (fix columns of the experience), overcome ones
    weights: Floats  # of these
    alike: Floats  # message similarity of every past failure, by fix number, in [0, 1]


class Recoveries:
    """Answers from an `Experience`. Word weights are refreshed when its failures change."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._counted = 0
        self._weights: dict[str, float] = {}
        self._totals: list[float] = []

    def after(
        self, standpoint: Standpoint, neighbours: Sequence[tuple[str, float]], failed_key: str, error_signature: str
    ) -> Recovered | None:
        """Return what followed failures like this one; None when no failure in this project was ever overcome."""
        x = self._x
        if not len(x.failures):
            return None
        context = x.context_weights(standpoint)[x.failures.row]
        usable = (context > 0) & (x.failures.fix >= 0)
        if not usable.any():
            return None
        alike = self.alike(error_signature)
        similarity = x.spread(neighbours)[x.failures.row]
        same = x.failures.failed == x.tools.find(failed_key)
        family = self._family(failed_key)[x.failures.failed]
        nats = TASK * np.exp((similarity - 1.0) / TASK_WIDTH) + MESSAGE * (alike - 1.0) + SAME_TOOL * (same - 1.0)
        nats += SAME_FAMILY * (family - 1.0) - LATE * (x.failures.lag - 1.0)
        every = np.where(context > 0, context * np.exp(nats), 0.0)  # also of those that nothing overcame
        weights = np.where(usable, every, 0.0)
        numbers = np.flatnonzero(weights > 0)
        fixed = x.failures.fix[numbers]

        def counts(values: Floats) -> Floats:
            return np.bincount(fixed, weights=values[numbers], minlength=len(x.tools)).astype(np.float64)

        usual = counts(context) + 0.05 * (np.bincount(fixed, minlength=len(x.tools)) > 0)
        usual /= usual.sum()
        of_tool = counts(context * same)
        of_tool = (of_tool + TOOL_PRIOR * usual) / (of_tool.sum() + TOOL_PRIOR)
        order = np.lexsort((numbers, x.ended_at_ms[x.failures.row[numbers]]))  # oldest first
        heaviest = float(weights.max())
        near = (
            tracked(
                fixed[order].astype(np.int64), weights[numbers][order] / heaviest, of_tool, x.failures.row[numbers][order].astype(np.int64)
            )
            * heaviest
        )
        scores = (near + PRIOR * of_tool) / (near.sum() + PRIOR)
        scores = scores * self._worked(every) ** WORKED
        chances, scores = scores, scores.copy()
        retry = x.tools.find(failed_key)
        if retry >= 0 and not _overcome_by_retrying(same[numbers] & (alike[numbers] >= SAME_ERROR), fixed == retry, weights[numbers]):
            scores[retry] *= RETRY_DISCOUNT
        return Recovered(chances, scores, numbers, weights[numbers], alike)

    def _worked(self, weights: Floats) -> Floats:
        """Return per tool the share of its tries right after such failures that worked, newer ones counting more."""
        x, failures = self._x, self._x.failures
        at = x.first[failures.row] + failures.index + 1
        tried = failures.index + 1 < x.length[failures.row]
        near = np.flatnonzero(tried & (weights > NEGLIGIBLE * weights.max()))
        near = near[np.lexsort((at[near], x.ended_at_ms[failures.row[near]]))]  # oldest first
        tool, worked = x.step_tool[at[near]].astype(np.int64), ~x.step_failed[at[near]]
        ever = np.bincount(tool, minlength=len(x.tools))
        usual = (np.bincount(tool, weights=worked, minlength=len(x.tools)) + 1.0) / (ever + 1.0)
        return worked_share(tool, weights[near] / max(float(weights.max()), 1e-12), worked, HALF_TRIES, usual, 1.0)

    def alike(self, error_signature: str) -> Floats:
        """Return how alike the message of every past failure is, in [0, 1]: overlap of words, rare ones counting more."""
        self._refresh()
        rare = math.log(len(self._x.failures) + 1)
        asked = signature_words(error_signature)
        asked_total = sum(self._weights.get(w, UNKNOWN_WORD * rare) for w in asked)
        values = np.zeros(len(self._x.signatures))
        for number, sig in enumerate(self._x.signatures.all()):
            words = signature_words(sig)
            shared = sum(self._weights[w] for w in words & asked)
            union = asked_total + self._totals[number] - shared
            values[number] = shared / union if union > 0 else float(sig == error_signature)
        return values[self._x.failures.signature]

    def _refresh(self) -> None:
        if self._counted == len(self._x.failures) and len(self._totals) == len(self._x.signatures):
            return
        self._counted = len(self._x.failures)
        times = np.bincount(self._x.failures.signature, minlength=len(self._x.signatures))
        counts: dict[str, int] = {}
        for number, sig in enumerate(self._x.signatures.all()):
            for word in signature_words(sig):
                counts[word] = counts.get(word, 0) + int(times[number])
        self._weights = {w: math.log((self._counted + 1) / max(1, n)) + 0.1 for w, n in counts.items()}
        self._totals = [sum(self._weights[w] for w in signature_words(sig)) for sig in self._x.signatures.all()]

    def _family(self, failed_key: str) -> Floats:
        family = failed_key.split(":", 1)[0]
        return np.array([key.split(":", 1)[0] == family for key in self._x.tools.all()], np.float64)


def _overcome_by_retrying(same_error: Bools, retried: Bools, weights: Floats) -> bool:
    """Return whether nearly every failure with the same message was overcome by the same tool; False when there was none."""
    total = float(weights[same_error].sum())
    return total > 0 and float(weights[same_error & retried].sum()) >= NEARLY_ALWAYS * total
