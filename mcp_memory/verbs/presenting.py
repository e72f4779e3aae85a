"""Records as answers show them. Pure."""

from collections.abc import Mapping, Sequence

from mcp_memory.domain.answers import EpisodeRow, RecalledEpisode, RecalledPattern
from mcp_memory.domain.curation import Correction
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.query import Detail, Match
from mcp_memory.domain.step_roles import gives_answer
from mcp_memory.domain.text import shorten, shorten_quotes
from mcp_memory.learning.judging.reflection import taught_by
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.run import message_of
from mcp_memory.phrases import sentence
from mcp_memory.verbs.engines import distinct

DAY_MS = 86_400_000
ROW_TASK_CHARS = 200
COMPACT_TASK_CHARS, COMPACT_TEXT_CHARS, COMPACT_LESSONS = 240, 200, 3
COMPACT_STEP_CHARS, FULL_STEP_CHARS = 120, 400


def recalled_episode(
    match: Match,
    episode: Episode,
    detail: Detail,
    now_ms: int,
    correction: Correction | None = None,
    provenance: str = "",
    points: tuple[str, ...] | None = None,
) -> RecalledEpisode:
    """Return how *episode* is shown in an answer, a correction of its lessons before them, or instead of what it contradicts.

    *points* are what it tells whoever is about to do the task, None where it is not near.
    """
    assert episode.outcome is not None
    assert episode.reward is not None
    full = detail is Detail.FULL
    lessons = distinct(episode.outcome.lessons, tuple(map(sentence, taught_by(episode))))
    if correction is not None:
        corrected = f"Corrected{f' by {correction.by}' if correction.by else ''}: {correction.text}"
        lessons = (corrected, *(() if correction.contradicts else lessons))
        points = None if points is None else (corrected, *(() if correction.contradicts else points))
    if not full:
        lessons = tuple(shorten_quotes(text, COMPACT_TEXT_CHARS) for text in lessons[:COMPACT_LESSONS])
    steps = episode.steps if full else [s for s in episode.steps if s.index in episode.key_steps and not _only_ends(s, episode)]
    return RecalledEpisode(
        episode_id=episode.id,
        external_id=episode.external_id,
        task=episode.task if full else shorten(episode.task, COMPACT_TASK_CHARS),
        outcome=episode.outcome.kind,
        reward=round(episode.reward.score, 3),
        summary=episode.outcome.summary if full else shorten(episode.outcome.summary, COMPACT_TEXT_CHARS),
        lessons=lessons,
        key_steps=key_step_lines(episode.steps, [s.index for s in steps], FULL_STEP_CHARS if full else COMPACT_STEP_CHARS),
        age_days=round(max(0, now_ms - (episode.ended_at_ms or now_ms)) / DAY_MS, 1),
        score=round(match.score, 3),
        why={k: round(v, 3) for k, v in match.why.items()},
        similarity=round(match.similarity, 3),
        provenance=provenance or None,
        points=points,
    )


def _only_ends(step: Step, episode: Episode) -> bool:
    """Return whether a step ends the work and says no more than that (`submit → ok`)."""
    told = step.observation.strip().lower() not in ("", "ok")
    return step is episode.steps[-1] and gives_answer(step.key) and not (step.failed or step.arguments or told)


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
        pattern.provenance,
        pattern.is_telling,
    )


def step_line(step: Step, max_chars: int) -> str:
    """Return one step as one line: `#3 bash:pytest {…} → error: …`."""
    arguments = " ".join(f"{k}={v}" for k, v in step.arguments.items())
    came_back = f"{step.status}: {message_of(step)}" if step.failed else step.observation
    return f"#{step.index} {step.key} {shorten(arguments, max_chars)} → {shorten(came_back, max_chars) or 'ok'}".replace("\n", " ")


def key_step_lines(steps: Sequence[Step], chosen: Sequence[int], max_chars: int) -> tuple[str, ...]:
    """Return the chosen steps as lines, what changed a file first and with its change: `#7 edit → changed cart.py:12: + and rate`."""
    wanted = set(chosen)
    places = {step.index: place for place, step in enumerate(steps) if step.index in wanted}
    lines: list[tuple[int, str]] = []
    for index in chosen:
        step, change = steps[places[index]], change_of(steps, places[index])
        if change is None:
            lines.append((1, step_line(step, max_chars)))
        else:
            lines.append((2 if change.is_scratch else 0, f"#{index} {step.key} → changed {shorten(str(change), 2 * max_chars)}"))
    return tuple(line for _, line in sorted(lines, key=lambda item: item[0]))


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
