"""Pure functions from one run to its observations. A pattern is what the observations of many runs say together.

Because a run's observations depend on nothing but the run, learning one episode at a time and learning all of them again give the
same patterns; what is frequent, closed or contrastive is decided from the counts when patterns are read.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

from mcp_memory.domain.episode import Json
from mcp_memory.domain.pattern import INSTEAD, Observation, PatternKind
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.argument_changes import Changed, argument_change
from mcp_memory.learning.reading.run import Run
from mcp_memory.phrases import patterns as phrases
from mcp_memory.views.fixes import MAX_STEPS_LATER, Came, Fix, fixes_of

MAX_OBSERVATIONS = 200  # of one episode
MAX_RECOVERIES, MAX_CHANGES = 60, 20  # of one run, the earliest
MAX_APPROACH_TOOLS = 4
OFFSETS = ((0, 1), (0, 2), (0, 1, 2), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3))  # which of the next steps make a sequence
MAX_SEQUENCES = 40  # of one run: the most frequent
MAX_DECISIONS = 40  # of one run, the earliest: the choices that set its course
START = "start"
_Try = tuple[str, bool, int, bool]  # tool key, whether it worked, at which step, whether it did the job instead of fixing the call
_described, _decided = lru_cache(4_096)(phrases.sequence), lru_cache(4_096)(phrases.decision)  # most are of many runs


def observations_of(run: Run, durations_ms: Sequence[int | None] = ()) -> tuple[Observation, ...]:
    """Return the run's evidence, one observation a pattern, at most 200: recoveries, argument changes and context first.

    Args:
        run: The run.
        durations_ms: Of its steps, where known; only evidence detail depends on them.
    """
    found = [
        *recovery_observations(run, durations_ms),
        *argument_change_observations(run),
        *context_observations(run),
        *sequence_observations(run),
        *decision_observations(run),
    ]
    return tuple(found[:MAX_OBSERVATIONS])


# --- error recoveries: after this error of this tool, what fixed it, or did the job instead, and what did not ---


def recovery_observations(run: Run, durations_ms: Sequence[int | None] = ()) -> list[Observation]:
    """Return one observation for each (tool, error, answer tried); it succeeded when the answer worked at least once.

    What worked is what fixed the call or did its job; what did not is a try right after the failure that failed in turn. A look, a
    thought or the end of the work answers nothing.
    """
    found: dict[tuple[str, str, str, bool], tuple[bool, Fix, int]] = {}
    for fix in fixes_of(run.calls):
        for tried, worked, at, instead in _tries(run, fix):
            name = (fix.failed_key, fix.signature, tried, instead)
            if name not in found or (worked and not found[name][0]):
                found[name] = (worked, fix, at)
    worked_at_last = {name[:3] for name, (worked, _, _) in found.items() if worked}
    said = [(name, what) for name, what in found.items() if what[0] or name[:3] not in worked_at_last]
    return [
        Observation(
            PatternKind.ERROR_RECOVERY,
            {"tool": tool, "error": error, "try": tried} | ({INSTEAD: True} if instead else {}),
            phrases.recovery(tool, run.messages.get(fix.index) or error, error, tried, instead=instead),
            worked,
            detail=_detail(fix.index, at, durations_ms),
        )
        for (tool, error, tried, instead), (worked, fix, at) in said[:MAX_RECOVERIES]
    ]


def _tries(run: Run, fix: Fix) -> Iterator[_Try]:
    after = fix.index + 1
    if after < len(run.keys) and run.failed[after] and after != fix.by and role_of(run.keys[after]) is not Role.PASSES:
        yield run.keys[after], False, after, False
    if fix.came is not Came.GAVE_UP:
        yield run.keys[fix.by], True, fix.by, fix.came is Came.GOT_ON


def _detail(index: int, at: int, durations_ms: Sequence[int | None]) -> dict[str, Json]:
    spent = [d for d in durations_ms[index + 1 : at + 1] if d is not None]
    return {"failed_step": index, "fix_step": at, "steps_later": at - index, "duration_ms": sum(spent) if spent else None}


# --- argument changes: after this error of this tool, in what way it was called differently, and whether that worked ---


def argument_change_observations(run: Run) -> list[Observation]:
    """Return one observation for each (tool, error, kind of change, argument); it succeeded when the changed call worked at least once."""
    found: dict[tuple[str, str, str, str], tuple[bool, int, int, Changed]] = {}
    for i in run.errors if run.steps else ():
        again = next((k for k in range(i + 1, min(len(run.keys), i + 1 + MAX_STEPS_LATER)) if run.keys[k] == run.keys[i]), None)
        change = None if again is None else argument_change(run.steps[i], run.steps[again])
        if again is None or change is None:
            continue
        name = (run.keys[i], run.errors[i], change.kind.value, change.argument)
        if name not in found or (not run.failed[again] and not found[name][0]):
            found[name] = (not run.failed[again], i, again, change)
    observations = []
    for (tool, error, kind, argument), (worked, i, again, change) in list(found.items())[:MAX_CHANGES]:
        content: dict[str, Json] = {"tool": tool, "error": error, "change": kind, "argument": argument}
        said = phrases.argument_change(tool, run.messages.get(i) or error, error, change.kind, argument, change.before, change.after)
        observations.append(Observation(PatternKind.ARGUMENT_CHANGE, content, said, worked, detail={"failed_step": i, "fix_step": again}))
    return observations


# --- context patterns: for this kind of task, the approach (the tools that did most of the work) and how it ended ---


def context_observations(run: Run) -> list[Observation]:
    """Return the run's one context observation; none for a run without steps."""
    if not run.keys:
        return []
    counts = Counter(run.keys)
    approach = sorted(sorted(counts, key=lambda key: (-counts[key], key))[:MAX_APPROACH_TOOLS])
    content = {"domain": run.domain, "framework": run.framework, "language": run.language, "task_type": run.task_type, "approach": approach}
    return [
        Observation(
            PatternKind.CONTEXT,
            content,
            phrases.approach(run.kind, approach),
            run.success,
            detail={"steps": len(run.keys)},
        )
    ]


# --- tool sequences: two to four tools in order, repetitions in a row taken as one, with at most one other tool in between ---


def sequence_observations(run: Run) -> list[Observation]:
    """Return the run's tool sequences. Linear in its steps."""
    collapsed = run.collapsed()
    keys, indexes = [key for key, _ in collapsed], [index for _, index in collapsed]
    grams = {offsets: list(zip(*(keys[o : max(0, len(keys) - offsets[-1]) + o] for o in offsets), strict=False)) for offsets in OFFSETS}
    times: Counter[tuple[str, ...]] = Counter()
    for found in grams.values():
        times.update(found)
    several = ((-n, tools) for tools, n in times.items() if len(tools) > 2 or tools[0] != tools[1])
    kept = {tools: -n for n, tools in heapq.nsmallest(MAX_SEQUENCES, several)}
    spans: dict[tuple[str, ...], tuple[int, int]] = {}
    for offsets, found in grams.items():
        first = dict(zip(reversed(found), range(len(found) - 1, -1, -1), strict=True))
        for tools in first.keys() & kept.keys():
            span = (indexes[first[tools]], indexes[first[tools] + offsets[-1]])
            spans[tools] = min(span, spans.get(tools, span))
    return [
        Observation(
            PatternKind.TOOL_SEQUENCE,
            {"tools": list(tools)},
            _described(tools),
            run.success,
            detail={"first_step": spans[tools][0], "last_step": spans[tools][1], "times": n},
        )
        for tools, n in kept.items()
    ]


# --- decision points: at one state of a kind of task (the last tools, and which failed), which tool was chosen, and how the run ended ---


def decision_observations(run: Run) -> list[Observation]:
    """Return one observation for each (state, choice) of the run; the state is one or two steps long. Linear in its steps."""
    marks = [START, *(f"{key} (failed)" if failed else key for key, failed in zip(run.keys, run.failed, strict=True))]
    one = list(zip(marks, run.keys, strict=False))
    two = list(zip(marks, marks[1:], run.keys[1:], strict=False))
    times: Counter[tuple[str, ...]] = Counter([*one, *two])
    first: dict[tuple[str, ...], int] = {}
    for offset, moves in ((1, two), (0, one)):
        first |= dict(zip(reversed(moves), range(len(moves) - 1 + offset, offset - 1, -1), strict=True))
    kind = run.kind
    return [
        Observation(
            PatternKind.DECISION_POINT,
            {"kind": kind, "after": list(move[:-1]), "choose": move[-1]},
            _decided(kind, move[:-1], move[-1]),
            run.success,
            detail={"step": first[move], "times": times[move]},
        )
        for move in sorted(first, key=lambda m: (first[m], len(m)))[:MAX_DECISIONS]
    ]
