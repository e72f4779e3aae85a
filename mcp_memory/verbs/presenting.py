"""Records as answers show them. Pure."""

from collections.abc import Mapping

from mcp_memory.domain.answers import EpisodeRow, RecalledEpisode, RecalledPattern
from mcp_memory.domain.episode import Episode, Json, Step
from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.query import Detail, Match
from mcp_memory.domain.text import shorten
from mcp_memory.learning.judging.reflection import taught_by
from mcp_memory.verbs.engines import distinct

DAY_MS = 86_400_000
ROW_TASK_CHARS = 200
COMPACT_TASK_CHARS, COMPACT_TEXT_CHARS, COMPACT_LESSONS = 240, 200, 3
COMPACT_STEP_CHARS, FULL_STEP_CHARS = 120, 400


def recalled_episode(
    match: Match, episode: Episode, detail: Detail, now_ms: int, correction: Mapping[str, Json] | None = None
) -> RecalledEpisode:
    """Return how *episode* is shown in an answer, a correction of its lessons before them, or instead of what it contradicts."""
    assert episode.outcome is not None
    assert episode.reward is not None
    full = detail is Detail.FULL
    lessons = distinct(episode.outcome.lessons, taught_by(episode))
    if correction is not None:
        lessons = (f"Corrected: {correction['text']}", *(() if correction.get("contradicts") else lessons))
    if not full:
        lessons = tuple(shorten(text, COMPACT_TEXT_CHARS) for text in lessons[:COMPACT_LESSONS])
    steps = episode.steps if full else [s for s in episode.steps if s.index in episode.key_steps]
    return RecalledEpisode(
        episode_id=episode.id,
        external_id=episode.external_id,
        task=episode.task if full else shorten(episode.task, COMPACT_TASK_CHARS),
        outcome=episode.outcome.kind,
        reward=round(episode.reward.score, 3),
        summary=episode.outcome.summary if full else shorten(episode.outcome.summary, COMPACT_TEXT_CHARS),
        lessons=lessons,
        key_steps=tuple(step_line(s, FULL_STEP_CHARS if full else COMPACT_STEP_CHARS) for s in steps),
        age_days=round(max(0, now_ms - (episode.ended_at_ms or now_ms)) / DAY_MS, 1),
        score=round(match.score, 3),
        why={k: round(v, 3) for k, v in match.why.items()},
        similarity=round(match.similarity, 3),
    )


def recalled_pattern(pattern: Pattern, score: float, why: Mapping[str, float]) -> RecalledPattern:
    """Return how *pattern* is shown in an answer."""
    return RecalledPattern(
        pattern.id,
        pattern.kind,
        pattern.description,
        pattern.support,
        pattern.successes,
        pattern.failures,
        round(pattern.confidence, 3),
        round(score, 3),
        {k: round(v, 3) for k, v in why.items()},
        pattern.corrected_by,
    )


def step_line(step: Step, max_chars: int) -> str:
    """Return one step as one line: `#3 bash:pytest {…} → error: …`."""
    arguments = " ".join(f"{k}={v}" for k, v in step.arguments.items())
    came_back = f"{step.status}: {step.error or step.observation}" if step.failed else step.observation
    return f"#{step.index} {step.key} {shorten(arguments, max_chars)} → {shorten(came_back, max_chars) or 'ok'}".replace("\n", " ")


def episode_row(episode: Episode) -> EpisodeRow:
    """Return the compact row of *episode*."""
    return EpisodeRow(
        episode_id=episode.id,
        external_id=episode.external_id,
        project=episode.project,
        task=shorten(episode.task, ROW_TASK_CHARS),
        task_type=episode.task_type,
        domain=episode.context.domain,
        language=episode.context.language,
        framework=episode.context.framework,
        tags=episode.context.tags,
        state=episode.state,
        outcome=episode.outcome.kind if episode.outcome else None,
        reward=round(episode.reward.score, 3) if episode.reward else None,
        step_count=episode.step_count,
        started_at_ms=episode.started_at_ms,
        ended_at_ms=episode.ended_at_ms,
    )
