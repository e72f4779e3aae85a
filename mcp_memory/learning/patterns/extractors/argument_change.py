"""Argument changes: after this error of this tool, in what way it was called differently, and whether that worked."""

from mcp_memory.domain.episode import Json
from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.reading.argument_changes import Changed, argument_change
from mcp_memory.learning.reading.run import Run
from mcp_memory.phrases.patterns import argument_change as phrased
from mcp_memory.views.fixes import MAX_STEPS_LATER

MAX_CHANGES = 20  # of one run, the earliest


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
        said = phrased(tool, run.messages.get(i) or error, error, change.kind, argument, change.before, change.after)
        observations.append(Observation(PatternKind.ARGUMENT_CHANGE, content, said, worked, detail={"failed_step": i, "fix_step": again}))
    return observations
