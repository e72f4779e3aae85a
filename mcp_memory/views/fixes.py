"""Failed steps and what came of them: the raw material of recoveries.

Three words. *Fixed*: the very failed call (same arguments or same target) worked later, and the credit goes to the change after which its
error was gone: before it worked, or before it failed with another error.
*Got on with*: another tool did the job. *Gave up*: neither. Besides, `fix_key` is simply what worked next, which the ranking of
advice goes by.
"""

import enum
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mcp_memory.domain.episode import Trace
from mcp_memory.domain.fingerprints import MAX_UNTIL_FIXED, unpack, unpack_targets
from mcp_memory.domain.step_keys import SHELL
from mcp_memory.domain.step_roles import Role, moves, role_of, runs_tests

HIDDEN = "hidden"  # in a trace's digest: `Calls.hidden`
AGAIN = "again"  # and `Calls.again`
MAX_STEPS_LATER = 5  # a step that succeeds later than this is no answer to the error
_ILL_CALLED = re.compile(r"\b(?:usage|arguments?|options?|required|unrecognized|flags?|parameters?)\b", re.I)
_HIDING = ("SyntaxError", "IndentationError", "TabError")  # what fails so did not come as far as the error before


class Came(enum.IntEnum):
    """What came of a failure."""

    GAVE_UP = 0
    GOT_ON = 1
    FIXED = 2


@dataclass(frozen=True, slots=True)
class Fix:
    """A failed step, and the first step that succeeded within the five after it (`fix_key` empty: none did).

    `example` is the step to show of it: of the fixing tool, the last use before the failed tool worked again, so that of several
    attempts at a fix the one that did it is shown; the first use where the failed tool never worked again. `came` says what came of the
    failure and `by` which step did it: the change before the call worked (the call itself where nothing was changed), or the
    alternative; -1 where it was given up. `worked_at` is where the failed call worked, -1 where it never did.
    """

    index: int
    failed_key: str
    signature: str
    fix_key: str
    steps_later: int
    example: int
    came: Came = Came.GAVE_UP
    by: int = -1
    worked_at: int = -1


@dataclass(frozen=True, slots=True)
class Calls:
    """What is needed of a run to see whether a failed call worked later; all of one length."""

    keys: Sequence[str]
    failed: Sequence[bool]
    exact: Sequence[int] = ()  # numbers of the exact arguments, -1 or missing: not known
    targets: Sequence[int] = ()
    success: bool = True  # of the run
    errors: Mapping[int, str] = field(default_factory=dict)  # signatures by step, of failed ones
    hidden: frozenset[int] = frozenset()  # steps that did not fail whatever they did: no proof that anything worked
    again: Mapping[int, Sequence[int]] = field(default_factory=dict)  # after a failed command the same one given otherwise

    def same(self, i: int, j: int) -> bool:
        """Return whether two steps are one call: the same tool, and the same arguments or the same target."""
        if self.is_given_otherwise(i, j):
            return True
        if family(self.keys[i]) != family(self.keys[j]):
            return False
        exact, targets = self.exact, self.targets
        known = len(exact) > max(i, j) and exact[i] >= 0 and exact[j] >= 0
        if not known:
            return self.keys[i] == self.keys[j]
        return (self.keys[i] == self.keys[j] and exact[i] == exact[j]) or (len(targets) > max(i, j) and targets[i] == targets[j] >= 0)

    def is_given_otherwise(self, i: int, j: int) -> bool:
        """Return whether step *j* is the failed command *i* given otherwise: by `sudo`, with a variable, behind what it needs."""
        return j in self.again.get(i, ())

    def same_target(self, i: int, j: int) -> bool:
        """Return whether two steps are about the same thing, as far as that can be told."""
        return len(self.targets) <= max(i, j) or self.targets[i] == self.targets[j]

    def is_past(self, i: int, k: int) -> bool:
        """Return whether step *k* no longer met the error of the failed step *i*: it worked, or failed with a known other one."""
        if not self.failed[k]:
            return True
        before, now = self.errors.get(i, ""), self.errors.get(k, "")
        return bool(before and now) and before != now and not now.startswith(_HIDING)

    def depends_on_place(self, i: int, j: int) -> bool:
        """Return whether two calls with the very same arguments may be about different files: the one that is open at the time."""
        known = len(self.exact) > max(i, j) and self.exact[i] == self.exact[j] >= 0
        return known and not self.keys[i].startswith(f"{SHELL}:")

    def is_another(self, i: int, k: int) -> bool:
        """Return whether step *k* did another thing than *i*: with another tool, or with this one elsewhere, as a click on another button.

        Of commands only the program tells: the same one with other arguments is more often a look than a change.
        """
        return self.keys[i] != self.keys[k] or (self.differ(i, k) and not self.same(i, k) and not self.keys[i].startswith(f"{SHELL}:"))

    def differ(self, i: int, j: int) -> bool:
        """Return whether two steps are known to have other arguments."""
        return len(self.exact) > max(i, j) and self.exact[i] != self.exact[j] and min(self.exact[i], self.exact[j]) >= 0


@lru_cache(maxsize=20_000)
def family(key: str) -> str:
    """Return the key that a script and its module have in common: `bash:python3` for `bash:python3 -m jobs.nightly`."""
    return key.partition(" -m ")[0]


def calls_of(trace: Trace) -> Calls:
    """Return the calls of a trace."""
    count = len(trace.step_keys)
    exact, _ = unpack(str(trace.digest.get("args", "")), count)
    targets = unpack_targets(str(trace.digest.get("targets", "")), count)
    hidden = trace.digest.get(HIDDEN)
    return Calls(
        keys=trace.step_keys,
        failed=tuple(bool(f) for f in trace.step_failed),
        exact=tuple(exact),
        targets=tuple(targets),
        success=trace.success,
        errors=dict(trace.errors),
        hidden=frozenset(hidden) if isinstance(hidden, list | tuple) else frozenset(),
        again={int(i): later for i, *later in again} if isinstance(again := trace.digest.get(AGAIN), list | tuple) else {},
    )


def find_fixes(trace: Trace) -> Iterator[Fix]:
    """Yield every failed step of *trace*, in order, with what came of it."""
    yield from fixes_of(calls_of(trace))


def fixes_of(calls: Calls) -> Iterator[Fix]:
    """Yield the failed steps of a run. Cost: near linear in the steps.

    >>> [(f.index, f.fix_key, f.steps_later) for f in fixes_of(Calls(["a", "b", "c"], [True, True, False]))]
    [(0, 'c', 2), (1, 'c', 1)]
    >>> next(fixes_of(Calls(["test", "edit", "test", "edit", "test"], [True, False, True, False, False]))).example
    3
    >>> fix = next(fixes_of(Calls(["make", "edit", "make"], [True, False, False]))); fix.came.name, fix.by, fix.worked_at
    ('FIXED', 1, 2)
    """
    keys, failed = calls.keys, calls.failed
    next_ok = -1
    later: dict[int, int] = {}
    for i in range(len(keys) - 1, -1, -1):
        later[i] = next_ok
        if not failed[i]:
            next_ok = i
    worked: dict[str, list[int]] = {}
    kin: dict[str, list[int]] = {}
    for i, key in enumerate(keys):
        if not failed[i]:
            worked.setdefault(key, []).append(i)
            if i not in calls.hidden:
                kin.setdefault(family(key), []).append(i)
    for i, key in enumerate(keys):
        if failed[i]:
            j = later[i]
            fixed = j != -1 and j - i <= MAX_STEPS_LATER
            again = worked.get(key, [])
            example = _example(worked[keys[j]], again, j) if fixed else i
            came = what_came(calls, i, _where_worked(calls, i, kin.get(family(key), [])))
            yield Fix(i, key, calls.errors.get(i, ""), keys[j] if fixed else "", j - i if fixed else 0, example, *came)


def _where_worked(calls: Calls, i: int, kin: Sequence[int]) -> Sequence[int]:
    """Return where steps of the family of a failed one worked, and where it did, given otherwise."""
    again = [k for k in calls.again.get(i, ()) if not calls.failed[k] and k not in calls.hidden]
    return sorted({*kin, *again}) if again else kin


def what_came(calls: Calls, i: int, again: Sequence[int]) -> tuple[Came, int, int]:
    """Return what came of the failed step *i*, which step did it, and where the failed call worked.

    Args:
        calls: Of the run.
        i: The failed step.
        again: Where steps of its family worked, or the command given otherwise, in order.
    """
    if role_of(calls.keys[i]) is Role.PASSES:
        return Came.GAVE_UP, -1, -1
    for j in again[bisect_left(again, i) :]:
        if j - i > MAX_UNTIL_FIXED:
            break
        if calls.same(i, j):
            return Came.FIXED, _change_before(calls, i, j), j
    alternative = _alternative(calls, i)
    if alternative < 0:
        return Came.GAVE_UP, -1, -1
    for k in range(alternative + 1, min(len(calls.keys), i + 1 + MAX_UNTIL_FIXED)):
        if calls.failed[k] and ((calls.same(i, k) and not calls.is_past(i, k)) or calls.same(alternative, k)):
            return Came.GAVE_UP, -1, -1  # where the alternative failed, it did not do the job either
    return Came.GOT_ON, alternative, -1


def _change_before(calls: Calls, i: int, j: int) -> int:
    """Return the step that made a failed call *i*, which worked at *j*, get past its error: the last that can have changed something.

    Where the call itself was changed (other arguments, or a module instead of a script), that is the call that worked. Where it was not, a
    look may depend on which file is open: opening another is a change, too; to another call it is one where there is no other.
    """
    if calls.differ(i, j) and (not calls.keys[i].startswith(f"{SHELL}:") or _ILL_CALLED.search(calls.errors.get(i, ""))):
        return j  # a command may differ in its options only; where these were wrong, they were what had to change
    past = _past(calls, i, j)
    if calls.is_given_otherwise(i, past):
        return _changed_since(calls, i, past)
    if calls.keys[past] != calls.keys[i]:
        return j
    worked = [k for k in range(past - 1, i, -1) if not calls.failed[k] and calls.is_another(i, k)]
    changed = next((k for k in worked if role_of(calls.keys[k]) is Role.ACTS and not runs_tests(calls.keys[k])), -1)
    moved = next((k for k in worked if moves(calls.keys[k])), -1) if calls.depends_on_place(i, j) else -1
    if moved > changed and (changed < 0 or role_of(calls.keys[i]) is Role.LOOKS):
        return moved
    return _other_use(calls, i, past) if changed < 0 else _final(calls, changed, j)


def _changed_since(calls: Calls, i: int, past: int) -> int:
    """Return the last change since a command failed last, after which it worked when given otherwise; without one how it was given."""
    tried = max(k for k in range(i, past) if calls.failed[k] and (k == i or calls.same(i, k)))
    between = (k for k in range(past - 1, tried, -1) if not calls.failed[k] and calls.is_another(i, k))
    return next((k for k in between if role_of(calls.keys[k]) is Role.ACTS and not runs_tests(calls.keys[k])), past)


def _other_use(calls: Calls, i: int, j: int) -> int:
    """Return the last use of the program in between with other arguments, where the very same command failed and worked; else *j*.

    As `nuclei -update-templates`: something must have changed, and nothing else can have.
    """
    is_again = calls.keys[i].startswith(f"{SHELL}:") and calls.keys[i] == calls.keys[j] and not calls.differ(i, j) and len(calls.exact) > j
    between = range(j - 1, i, -1) if is_again and not runs_tests(calls.keys[i]) else ()
    return next((k for k in between if not calls.failed[k] and calls.keys[k] == calls.keys[i] and calls.differ(i, k)), j)


def _final(calls: Calls, k: int, j: int) -> int:
    """Return the last change before *j* of what the step *k* changed: it got past one error, and was itself corrected for another."""
    if calls.keys[k].startswith(f"{SHELL}:"):
        return k
    later = range(j - 1, k, -1)
    return next((n for n in later if not calls.failed[n] and calls.keys[n] == calls.keys[k] and calls.same_target(k, n)), k)


def _past(calls: Calls, i: int, j: int) -> int:
    """Return where the failed call *i* first got past its error for good, at most where it worked."""
    again = [k for k in range(i + 1, j + 1) if calls.same(i, k)]
    last = max((n for n, k in enumerate(again) if not calls.is_past(i, k)), default=-1)
    return again[last + 1]


def _alternative(calls: Calls, i: int) -> int:
    """Return the step that did the job of the failed step *i* instead, -1 when none did.

    The next thing that worked within five steps, unless it only passes something on, or only looks where the failed step acted; nor is
    the last step of a run without success an alternative: that is giving up.
    """
    looked = role_of(calls.keys[i]) is Role.LOOKS
    for k in range(i + 1, min(len(calls.keys), i + 1 + MAX_STEPS_LATER)):
        role = role_of(calls.keys[k])
        if calls.failed[k] or k in calls.hidden or role is Role.PASSES or (role is Role.LOOKS and not looked):
            continue
        return -1 if k == len(calls.keys) - 1 and not calls.success else k
    return -1


def _example(uses: Sequence[int], again: Sequence[int], first: int) -> int:
    """Return the last of the fixing tool's uses from *first* on, before or at the failed tool's next success (`again`)."""
    at = bisect_left(again, first)
    if at == len(again):
        return first
    return uses[bisect_right(uses, again[at]) - 1]
