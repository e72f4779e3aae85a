"""Error recoveries: after this error of this tool, what was tried next and whether it worked."""

from collections.abc import Sequence

from mcp_memory.domain.episode import Json
from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.reading.run import Run
from mcp_memory.views.fixes import fixes_of

MAX_RECOVERIES = 60  # of one run, the earliest


def recovery_observations(run: Run, durations_ms: Sequence[int | None] = ()) -> list[Observation]:
    """Return one observation for each (tool, error, answer tried); it succeeded when the answer worked at least once.

    What was tried right after the failure counts, and what at last worked within five steps. The step that ended a run without
    success answered nothing, even if it worked itself: giving up is no recovery.
    """
    gave_up_at = -1 if run.success else len(run.keys) - 1
    found: dict[tuple[str, str, str], tuple[bool, dict[str, Json]]] = {}
    for fix in fixes_of(run.keys, run.failed, dict(run.errors)):
        tries: list[tuple[str, bool, int]] = []
        after = fix.index + 1
        if after < len(run.keys):
            tries.append((run.keys[after], not run.failed[after] and after != gave_up_at, 1))
        if fix.fix_key and fix.steps_later > 1:
            tries.append((fix.fix_key, fix.index + fix.steps_later != gave_up_at, fix.steps_later))
        for tried, worked, later in tries:
            name = (fix.failed_key, fix.signature, tried)
            if not found.get(name, (False, {}))[0]:
                found[name] = (worked, _detail(fix.index, later, durations_ms))
    return [
        Observation(
            PatternKind.ERROR_RECOVERY,
            {"tool": tool, "error": error, "try": tried},
            f"after {tool} failed with “{error}”, try {tried}",
            worked,
            detail=detail,
        )
        for (tool, error, tried), (worked, detail) in list(found.items())[:MAX_RECOVERIES]
    ]


def _detail(index: int, later: int, durations_ms: Sequence[int | None]) -> dict[str, Json]:
    spent = [d for d in durations_ms[index + 1 : index + 1 + later] if d is not None]
    return {"failed_step": index, "fix_step": index + later, "steps_later": later, "duration_ms": sum(spent) if spent else None}
