"""How far patterns are to be trusted: `confidence` applied to what the store knows of them, with what does not change kept."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.curation import Correction
from mcp_memory.domain.pattern import ConfidenceNumbers, Pattern, PatternUsage, ToldPattern
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.learning.patterns import confidence, implicit
from mcp_memory.ports import Clock, Store
from mcp_memory.views.experience import Experience
from mcp_memory.views.view import View
from mcp_memory.views.vouching import Support, Vouching

MAX_KEPT = 20_000  # validations, and sums of use; one is a few numbers
EVIDENCE_EACH = 20  # the newest: what held lately


State = tuple[str, int, int, int, int]  # of a pattern: its counts, and when its first and latest evidence is of


class Assessor:
    """Confidence, use and retirement of patterns. Evidence is read once for each state of a pattern's counts and times.

    What it keeps is used while reading only.
    """

    def __init__(self, store: Store, clock: Clock, half_life_days: float) -> None:
        self._store, self._clock, self._half_life_days = store, clock, half_life_days
        self._usage: BoundedMap[tuple[str, int], confidence.Usage] = BoundedMap(MAX_KEPT)  # by pattern and how many votes there are
        self._said_by: BoundedMap[State, tuple[str, ...]] = BoundedMap(MAX_KEPT)  # the episodes of the latest evidence
        self._supports: BoundedMap[tuple[str, str], tuple[Hashable, Support]] = BoundedMap(MAX_KEPT)  # by pattern and project: as of when
        self._validations: BoundedMap[State, confidence.Validation] = BoundedMap(MAX_KEPT)

    def assess(self, v: View, patterns: Sequence[Pattern], *, validated: bool = True, endorsed: bool = True) -> list[Pattern]:
        """Return the patterns with their corrections, confidence, votes, use and retirement, in the same order.

        Args:
            v: The views.
            patterns: As the store counts them.
            validated: Whether to compare their later evidence with what the earlier predicted, which reads evidence not read before.
            endorsed: Whether to tell who says so, too; asks for *validated*.
        """
        if validated:
            self._validate(patterns)
        corrections = self._store.corrections()  # a person's or an agent's word each: there are few
        known = [_corrected(p, corrections.get(p.id)) for p in patterns]
        assessed = [confidence.with_confidence(p, self._numbers(v, p, corrections.get(p.id)), v.votes.stats(p.id)) for p in known]
        return self._endorsed(v, assessed) if validated and endorsed else assessed

    def _endorsed(self, v: View, patterns: Sequence[Pattern]) -> list[Pattern]:
        """Return the patterns with the independent sources of their evidence."""
        vouching = v.experience.derived(Vouching)
        supports = [self._kept_support(v, vouching, pattern) for pattern in patterns]
        return [replace(p, provenance=str(support), is_verified=support.is_verified) for p, support in zip(patterns, supports, strict=True)]

    def _kept_support(self, v: View, vouching: Vouching, pattern: Pattern) -> Support:
        """Return what `_support` does, worked out once until the pattern's counts change or an episode comes or goes."""
        key, now = (pattern.id, pattern.project), (_state(pattern), v.experience.row_count, v.experience.removals)
        known = self._supports.get(key)
        if known is None or known[0] != now:
            known = (now, self._support(v, vouching, pattern))
            self._supports.put(key, known)
        return known[1]

    def _support(self, v: View, vouching: Vouching, pattern: Pattern) -> Support:
        said_by = self._said_by.get(_state(pattern))
        if said_by is None:  # one episode says so, or all that did are gone
            return Support(min(1, pattern.support))
        rows = [row for key in said_by if (row := v.experience.row(key)) is not None]
        if pattern.project != ANY_PROJECT:  # counted in one project: who says so elsewhere is not told there
            rows = [row for row in rows if v.experience.trace(row).project == pattern.project]
        return vouching.support(rows) if rows else Support(min(1, pattern.support))

    def explain(self, v: View, pattern: Pattern) -> ConfidenceNumbers:
        """Return the numbers the pattern's confidence is made of."""
        self._validate([pattern])
        correction = self._store.corrections([pattern.id]).get(pattern.id)
        return self._numbers(v, _corrected(pattern, correction), correction)

    def _numbers(self, v: View, pattern: Pattern, correction: Correction | None) -> ConfidenceNumbers:
        return confidence.explain(
            pattern,
            now_ms=self._clock(),
            half_life_days=self._half_life_days,
            votes=v.votes.stats(pattern.id),
            usage=self._usage_of(v, pattern.id),
            validation=self._validations.get(_state(pattern)) or confidence.NOT_VALIDATED,
            contradicted=correction is not None and correction.contradicts,
        )

    def usage_report(self, v: View, pattern_id: str) -> PatternUsage:
        """Return shown, used, and the success rates of episodes that used it and of those that were shown it and did not."""
        use = self._usage_of(v, pattern_id)
        when_used = round(use.used_successes / use.used, 4) if use.used else None
        return PatternUsage(use.shown, use.used, when_used, round(use.unused_successes / use.unused, 4) if use.unused else None)

    def told(self, v: View, patterns: Sequence[Pattern]) -> list[ToldPattern]:
        """Return what followed where the patterns were told; those that nobody was told are left out."""
        shown = [(pattern, use) for pattern in patterns if (use := self._usage_of(v, pattern.id)).shown]
        self._validate([pattern for pattern, _ in shown])
        corrections = self._store.corrections()
        found = []
        for counted, use in shown:
            correction = corrections.get(counted.id)
            pattern = _corrected(counted, correction)
            difference, low, high = confidence.rate_difference(
                use.used_successes, use.used, use.unused_successes, use.unused, confidence.Z_95_TWO_SIDED
            )
            because = self._numbers(v, pattern, correction).retired_because
            standing = confidence.standing(use, because)
            found.append(
                ToldPattern(
                    pattern.id, pattern.kind, pattern.corrected_by or pattern.description, use.shown, use.used, use.used_successes,
                    use.unused_successes, round(difference, 4), (round(low, 4), round(high, 4)), standing, because,
                )
            )  # fmt: skip
        return found

    def _usage_of(self, v: View, key: str) -> confidence.Usage:
        cast = v.votes.cast(key)
        if not cast:
            return confidence.NO_USE
        use = self._usage.get((key, len(cast)))
        if use is None:
            use = implicit.usages(cast, lambda episode_id: _success(v.experience, episode_id)).get(key, confidence.NO_USE)
            self._usage.put((key, len(cast)), use)
        return use

    def _validate(self, patterns: Sequence[Pattern]) -> None:
        missing = {p.id: p for p in patterns if p.support > 1 and _state(p) not in self._validations}
        if not missing:
            return
        found = self._store.evidence(list(missing), limit_each=EVIDENCE_EACH, details=False)
        for key, pattern in missing.items():
            self._validations.put(_state(pattern), confidence.validate(found.get(key, ())))
            self._said_by.put(_state(pattern), tuple(dict.fromkeys(e.episode_id for e in found.get(key, ()))))


def _success(x: Experience, episode_id: str) -> bool | None:
    row = x.row(episode_id)
    return None if row is None else bool(x.success[row])


def _state(pattern: Pattern) -> State:
    return pattern.id, pattern.successes, pattern.failures, pattern.first_at_ms, pattern.last_at_ms


def _corrected(pattern: Pattern, correction: Correction | None) -> Pattern:
    return replace(pattern, corrected_by=correction.text) if correction else pattern
