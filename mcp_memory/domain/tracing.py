"""The trace of a completed episode. Pure."""

from collections.abc import Mapping, Sequence

from mcp_memory.domain.episode import Episode, Json, Trace
from mcp_memory.domain.sources import session_of


def trace_of(episode: Episode, errors: Sequence[tuple[int, str]], digest: Mapping[str, Json] | None, seq: int) -> Trace:
    """Return the trace of *episode*, which has its outcome, reward and steps."""
    assert episode.outcome is not None
    context = episode.context
    return Trace(
        seq=seq,
        id=episode.id,
        project=episode.project,
        task=episode.task,
        task_type=str(episode.task_type),
        domain=context.domain,
        language=context.language,
        framework=context.framework,
        tags=context.tags,
        agent=episode.agent,
        outcome=str(episode.outcome.kind),
        reward=episode.reward.score if episode.reward else 0.0,
        started_at_ms=episode.started_at_ms,
        ended_at_ms=episode.ended_at_ms or episode.started_at_ms,
        step_keys=tuple(step.key for step in episode.steps),
        step_failed=bytes(step.failed for step in episode.steps),
        errors=tuple(errors),
        external_id=episode.external_id,
        follows=episode.follows,
        digest=dict(digest or {}),
        session=session_of(episode.metadata),
    )
