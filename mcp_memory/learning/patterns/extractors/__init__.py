"""Pure functions from one run to its observations. A pattern is what the observations of many runs say together.

Because a run's observations depend on nothing but the run, learning one episode at a time and learning all of them again give the
same patterns; what is frequent, closed or contrastive is decided from the counts when patterns are read.
"""

from collections.abc import Sequence

from mcp_memory.domain.pattern import Observation
from mcp_memory.learning.patterns.extractors.argument_change import argument_change_observations
from mcp_memory.learning.patterns.extractors.context import context_observations
from mcp_memory.learning.patterns.extractors.decision_point import decision_observations
from mcp_memory.learning.patterns.extractors.error_recovery import recovery_observations
from mcp_memory.learning.patterns.extractors.tool_sequence import sequence_observations
from mcp_memory.learning.reading.run import Run

MAX_OBSERVATIONS = 200  # of one episode


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
