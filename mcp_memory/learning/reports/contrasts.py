"""What attempts that worked did and those that failed did not: counts, and how likely chance alone makes such a split. Pure."""

from collections.abc import Iterator, Sequence
from math import comb
from typing import Literal

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.forks import Contrast
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.judging.comparison import CHANGED
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.reading.signatures import same_error

MAX_CONTRASTS = 3
_MIN_GAP = 0.5  # between the shares, for a contrast that is worth a line
_MIN_EVIDENCE = 2  # attempts that did it; one may have done anything
_Kind = Literal["used", "changed", "met"]
_Found = tuple[_Kind, str, int, int]  # with what, how many of the good and of the bad


def contrasts(good: Sequence[Trace], bad: Sequence[Trace]) -> tuple[Contrast, ...]:
    """Return at most three things by which the two groups differ most, the least likely to be chance first. Cost: linear in the steps."""
    if not good or not bad:
        return ()
    found = [*_used(good, bad), *_changed(good, bad), *_met(good, bad)]
    goods, bads = len(good), len(bad)
    told = [
        Contrast(kind, what, g, goods, b, bads, min(1.0, len(found) * chance(g, goods, b, bads)))
        for kind, what, g, b in found
        if abs(g / goods - b / bads) >= _MIN_GAP and max((g / goods, g), (b / bads, b))[1] >= _MIN_EVIDENCE
    ]
    told.sort(key=lambda c: (c.chance, -abs(c.good / goods - c.bad / bads), c.kind, c.what))
    return tuple(told[:MAX_CONTRASTS])


def chance(good: int, goods: int, bad: int, bads: int) -> float:
    """Return the one-sided probability of a split at least this sharp with the same totals (Fisher's exact test).

    >>> round(chance(4, 4, 0, 4), 4), chance(1, 2, 1, 2) > 0.5
    (0.0143, True)
    """
    if good * bads < bad * goods:
        good, goods, bad, bads = bad, bads, good, goods
    did = good + bad
    ways = comb(goods + bads, did)
    return sum(comb(goods, k) * comb(bads, did - k) for k in range(good, min(goods, did) + 1)) / ways


def _used(good: Sequence[Trace], bad: Sequence[Trace]) -> Iterator[_Found]:
    for key in sorted({key for t in (*good, *bad) for key in t.step_keys if role_of(key) is Role.ACTS}):
        yield "used", key, sum(key in t.step_keys for t in good), sum(key in t.step_keys for t in bad)


def _changed(good: Sequence[Trace], bad: Sequence[Trace]) -> Iterator[_Found]:
    paths: list[str] = []
    for trace in (*good, *bad):
        paths += [path for path in trace.digest.get(CHANGED, ()) if not any(same_file(path, known) for known in paths)]
    for path in paths:
        yield "changed", path, _of(good, path), _of(bad, path)


def _of(traces: Sequence[Trace], path: str) -> int:
    return sum(any(same_file(path, other) for other in t.digest.get(CHANGED, ())) for t in traces)


def _met(good: Sequence[Trace], bad: Sequence[Trace]) -> Iterator[_Found]:
    """Yield the errors that failed attempts met on their way; what came at the very end is the verdict on them, and no cause."""
    kinds: list[str] = []
    for trace in bad:
        kinds += [sig for sig in _on_the_way(trace) if not any(same_error(sig, known) for known in kinds)]
    for sig in kinds:
        won, lost = _meeting(good, sig), _meeting(bad, sig)
        if won * len(bad) < lost * len(good):
            yield "met", sig, won, lost


def _meeting(traces: Sequence[Trace], sig: str) -> int:
    return sum(any(same_error(sig, other) for other in _on_the_way(t)) for t in traces)


def _on_the_way(trace: Trace) -> list[str]:
    return [sig for i, sig in dict(trace.errors).items() if sig and i < len(trace.step_keys) - 1]
