"""Decision points: at one state of a kind of task (the last tools, and which failed), which tool was chosen, and how the run ended."""

from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.run import Run

MAX_DECISIONS = 80  # of one run, the earliest
START = "start"


def decision_observations(run: Run) -> list[Observation]:
    """Return one observation for each (state, choice) of the run; the state is one and two steps long."""
    seen: dict[tuple[tuple[str, ...], str], tuple[int, int]] = {}
    for i, choice in enumerate(run.keys):
        for length in (1, 2):
            if i == 0 and length == 2:
                continue
            state = tuple(_mark(run, j) for j in range(i - length, i))
            first, times = seen.get((state, choice), (i, 0))
            seen[(state, choice)] = (first, times + 1)
    return [
        Observation(
            PatternKind.DECISION_POINT,
            {"kind": run.kind, "after": list(state), "choose": choice},
            f"{run.kind}: after {' → '.join(state)}, choose {choice}",
            run.success,
            detail={"step": first, "times": times},
        )
        for (state, choice), (first, times) in list(seen.items())[:MAX_DECISIONS]
    ]


def _mark(run: Run, index: int) -> str:
    if index < 0:
        return START
    return f"{run.keys[index]} (failed)" if run.failed[index] else run.keys[index]
