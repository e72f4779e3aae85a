"""How far patterns are to be trusted: `confidence` applied to what the store knows of them, with what does not change kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Json
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.votes import VoteStats
from mcp_memory.learning.history.experience import Experience
from mcp_memory.learning.patterns import confidence, implicit
from mcp_memory.ports import Clock, Store

MAX_KEPT = 20_000  # validations; one is three numbers
EVIDENCE_EACH = 20  # the newest: what held lately


class Trust:
    """Confidence, use and retirement of patterns. Evidence is read once for each state of a pattern's counts."""

    def __init__(self, store: Store, experience: Experience, clock: Clock, half_life_days: float) -> None:
        self._store, self._x, self._clock, self._half_life_days = store, experience, clock, half_life_days
        self._votes: Mapping[str, VoteStats] = {}
        self._feedback_rowid = 0
        self._shown: dict[str, list[tuple[Feedback, Recommendation]]] = {}
        self._usage: dict[str, confidence.Usage] = {}
        self._validations: dict[tuple[str, int, int], confidence.Validation] = {}

    def set_votes(self, votes: Mapping[str, VoteStats]) -> None:
        """Replace the sums of all votes, and read the votes that are new."""
        self._votes = votes
        rows, self._feedback_rowid = self._store.feedback(after_rowid=self._feedback_rowid)
        for row in rows:
            for key in dict.fromkeys(row[1].shown_ids):
                self._shown.setdefault(key, []).append(row)
                self._usage.pop(key, None)

    def assess(self, patterns: Sequence[Pattern], *, validated: bool = True) -> list[Pattern]:
        """Return the patterns with their corrections, confidence, votes, use and retirement, in the same order.

        Args:
            patterns: As the store counts them.
            validated: Whether to compare their later evidence with what the earlier predicted, which reads evidence not read before.
        """
        if validated:
            self._validate(patterns)
        corrections = self._store.corrections()  # a person's or an agent's word each: there are few
        known = [_corrected(p, corrections.get(p.id)) for p in patterns]
        return [
            confidence.with_confidence(p, self._numbers(p, corrections.get(p.id)), self._votes.get(p.id, confidence.NO_VOTES))
            for p in known
        ]

    def explain(self, pattern: Pattern) -> dict[str, Json]:
        """Return the numbers the pattern's confidence is made of."""
        self._validate([pattern])
        correction = self._store.corrections([pattern.id]).get(pattern.id)
        return self._numbers(_corrected(pattern, correction), correction)

    def _numbers(self, pattern: Pattern, correction: Mapping[str, Json] | None) -> dict[str, Json]:
        return confidence.explain(
            pattern,
            now_ms=self._clock(),
            half_life_days=self._half_life_days,
            votes=self._votes.get(pattern.id, confidence.NO_VOTES),
            usage=self._usage_of(pattern.id),
            validation=self._validations.get(_state(pattern), confidence.NOT_VALIDATED),
            contradicted=bool(correction and correction.get("contradicts")),
        )

    def usage_report(self, pattern_id: str) -> Mapping[str, Json]:
        """Return shown, used, and the success rates of episodes that used it and of those that were shown it and did not."""
        use = self._usage_of(pattern_id)
        return {
            "shown": use.shown,
            "used": use.used,
            "success_when_used": round(use.used_successes / use.used, 4) if use.used else None,
            "success_when_not_used": round(use.unused_successes / use.unused, 4) if use.unused else None,
        }

    def _usage_of(self, key: str) -> confidence.Usage:
        if key not in self._shown:
            return confidence.NO_USE
        if key not in self._usage:
            self._usage[key] = implicit.usages(self._shown[key], self._success).get(key, confidence.NO_USE)
        return self._usage[key]

    def _validate(self, patterns: Sequence[Pattern]) -> None:
        missing = {p.id: p for p in patterns if p.support > 1 and _state(p) not in self._validations}
        if not missing:
            return
        if len(self._validations) + len(missing) > MAX_KEPT:
            self._validations.clear()
        found = self._store.evidence(list(missing), limit_each=EVIDENCE_EACH, details=False)
        for key, pattern in missing.items():
            self._validations[_state(pattern)] = confidence.validate(found.get(key, ()))

    def _success(self, episode_id: str) -> bool | None:
        row = self._x.row(episode_id)
        return None if row is None else bool(self._x.success[row])


def _state(pattern: Pattern) -> tuple[str, int, int]:
    return pattern.id, pattern.successes, pattern.failures


def _corrected(pattern: Pattern, correction: Mapping[str, Json] | None) -> Pattern:
    return replace(pattern, corrected_by=str(correction["text"])) if correction else pattern
