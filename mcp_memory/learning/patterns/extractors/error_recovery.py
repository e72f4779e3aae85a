"""Error recoveries: after this error of this tool, what fixed it, or did the job instead, and what did not."""

from collections.abc import Iterator, Sequence

from mcp_memory.domain.episode import Json
from mcp_memory.domain.pattern import INSTEAD, Observation, PatternKind
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.run import Run
from mcp_memory.phrases.patterns import recovery
from mcp_memory.views.fixes import Came, Fix, fixes_of

MAX_RECOVERIES = 60  # of one run, the earliest

_Try = tuple[str, bool, int, bool]  # tool key, whether it worked, at which step, whether it did the job instead of fixing the call


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
            recovery(tool, run.messages.get(fix.index) or error, error, tried, instead=instead),
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
