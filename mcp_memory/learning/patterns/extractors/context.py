"""Context patterns: for this kind of task, the approach (the tools that did most of the work) and how it ended."""

from collections import Counter

from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.learning.reading.run import Run
from mcp_memory.phrases import patterns as phrases

MAX_APPROACH_TOOLS = 4


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
