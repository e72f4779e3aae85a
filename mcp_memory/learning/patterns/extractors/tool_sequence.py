"""Tool sequences: two to four tools in order, repetitions in a row taken as one, with at most one other tool in between."""

import heapq
from collections import Counter
from functools import lru_cache

from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.reading.run import Run
from mcp_memory.phrases.patterns import sequence

OFFSETS = ((0, 1), (0, 2), (0, 1, 2), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3))  # which of the next steps make a sequence
MAX_SEQUENCES = 40  # of one run: the most frequent
_described = lru_cache(4_096)(sequence)  # most are of many runs


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
        for start in range(len(found) - 1, -1, -1):
            if found[start] in kept:
                span = (indexes[start], indexes[start + offsets[-1]])
                spans[found[start]] = min(span, spans.get(found[start], span))
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
