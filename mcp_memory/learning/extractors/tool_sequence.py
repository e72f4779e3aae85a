"""Tool sequences: two to four tools in order, repetitions in a row taken as one, with at most one other tool in between."""

from collections import Counter

from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.run import Run

MIN_TOOLS, MAX_TOOLS = 2, 4
MAX_SEQUENCES = 60  # of one run: the most frequent, then the earliest


def sequence_observations(run: Run) -> list[Observation]:
    """Return the run's tool sequences. Linear in its steps."""
    collapsed = run.collapsed()
    keys = [key for key, _ in collapsed]
    times: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], tuple[int, int]] = {}
    for i in range(len(keys)):
        for picked in _picks(len(keys), i):
            tools = tuple(keys[j] for j in picked)
            if len(set(tools)) > 1:
                times[tools] += 1
                first.setdefault(tools, (collapsed[i][1], collapsed[picked[-1]][1]))
    best = sorted(times, key=lambda tools: (-times[tools], first[tools], tools))[:MAX_SEQUENCES]
    return [
        Observation(
            PatternKind.TOOL_SEQUENCE,
            {"tools": list(tools)},
            " → ".join(tools),
            run.success,
            detail={"first_step": first[tools][0], "last_step": first[tools][1], "times": times[tools]},
        )
        for tools in best
    ]


def _picks(count: int, start: int) -> list[tuple[int, ...]]:
    """Return the index tuples that start at *start*: runs of two to four, and pairs and triples that leave one out."""
    end = min(count, start + MAX_TOOLS)
    picks = [tuple(range(start, stop)) for stop in range(start + MIN_TOOLS, end + 1)]
    if start + 2 < count:
        picks.append((start, start + 2))
    if start + 3 < count:
        picks += [(start, start + 1, start + 3), (start, start + 2, start + 3)]
    return picks
