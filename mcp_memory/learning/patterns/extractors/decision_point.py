"""Decision points: at one state of a kind of task (the last tools, and which failed), which tool was chosen, and how the run ended."""

from collections import Counter

from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.reading.run import Run
from mcp_memory.phrases.patterns import decision

MAX_DECISIONS = 40  # of one run, the earliest: the choices that set its course
START = "start"


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
            decision(kind, move[:-1], move[-1]),
            run.success,
            detail={"step": first[move], "times": times[move]},
        )
        for move in sorted(first, key=lambda m: (first[m], len(m)))[:MAX_DECISIONS]
    ]
