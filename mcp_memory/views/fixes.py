"""Failed steps and what came right after them: the raw material of recoveries."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mcp_memory.domain.episode import Trace

MAX_STEPS_LATER = 5  # a step that succeeds later than this is no answer to the error


@dataclass(frozen=True, slots=True)
class Fix:
    """A failed step, and the first step that succeeded within the five after it (`fix_key` empty: none did).

    `example` is the step to show of it: of the fixing tool, the last use before the failed tool worked again, so that of several
    attempts at a fix the one that did it is shown; the first use where the failed tool never worked again.
    """

    index: int
    failed_key: str
    signature: str
    fix_key: str
    steps_later: int
    example: int


def find_fixes(trace: Trace) -> Iterator[Fix]:
    """Yield every failed step of *trace*, in order, with what fixed it."""
    signatures = dict(trace.errors)
    yield from fixes_of(trace.step_keys, [bool(f) for f in trace.step_failed], signatures)


def fixes_of(keys: Sequence[str], failed: Sequence[bool], signatures: dict[int, str]) -> Iterator[Fix]:
    """Yield the failed steps of a run given as parallel sequences. Cost: near linear in the steps.

    >>> [(f.index, f.fix_key, f.steps_later) for f in fixes_of(["a", "b", "c"], [True, True, False], {0: "x", 1: "y"})]
    [(0, 'c', 2), (1, 'c', 1)]
    >>> next(fixes_of(["test", "edit", "test", "edit", "test"], [True, False, True, False, False], {})).example
    3
    """
    next_ok = -1
    later: dict[int, int] = {}
    for i in range(len(keys) - 1, -1, -1):
        later[i] = next_ok
        if not failed[i]:
            next_ok = i
    worked: dict[str, list[int]] = {}
    for i, key in enumerate(keys):
        if not failed[i]:
            worked.setdefault(key, []).append(i)
    for i, key in enumerate(keys):
        if failed[i]:
            j = later[i]
            fixed = j != -1 and j - i <= MAX_STEPS_LATER
            example = _example(worked[keys[j]], worked.get(key, []), j) if fixed else i
            yield Fix(i, key, signatures.get(i, ""), keys[j] if fixed else "", j - i if fixed else 0, example)


def _example(uses: Sequence[int], again: Sequence[int], first: int) -> int:
    """Return the last of the fixing tool's uses from *first* on, before or at the failed tool's next success (`again`)."""
    at = bisect_left(again, first)
    if at == len(again):
        return first
    return uses[bisect_right(uses, again[at]) - 1]
