"""What a `Filter` means: the one place that says which episodes meet it. Stores that filter by SQL are held to this by a property test.

Empty conditions do not restrict. The project is a namespace and compares exactly, `*` being all of them; domain, language, framework
and tags compare without regard to case. `since` (inclusive) and `until` (exclusive) are about when an episode ended or, of one that has
not ended, when it started. Every tag asked for must be there.
"""

from collections.abc import Iterable

from mcp_memory.domain.episode import Episode, EpisodeState, Trace
from mcp_memory.domain.query import ANY_PROJECT, Filter


def fold(name: str) -> str:
    """Return *name* as it is compared: without regard to case."""
    return name.casefold()


def is_named(wanted: str, has: str) -> bool:
    """Whether a name meets a condition on names; an empty condition is always met."""
    return not wanted or fold(wanted) == fold(has)


def in_time(where: Filter, started_at_ms: int, ended_at_ms: int | None) -> bool:
    """Whether an episode ended, or if it has not, started, in [since, until)."""
    at_ms = started_at_ms if ended_at_ms is None else ended_at_ms
    return (where.since_ms is None or at_ms >= where.since_ms) and (where.until_ms is None or at_ms < where.until_ms)


def admits(where: Filter, trace: Trace) -> bool:
    """Whether a completed episode meets every condition."""
    return (
        _admits(where, trace.project, trace.domain, trace.language, trace.framework, trace.tags)
        and where.task_type in ("", trace.task_type)
        and where.outcome in ("", trace.outcome)
        and where.state in ("", EpisodeState.COMPLETED)
        and in_time(where, trace.started_at_ms, trace.ended_at_ms)
    )


def admits_episode(where: Filter, episode: Episode) -> bool:
    """Whether an episode, open ones too, meets every condition."""
    context = episode.context
    return (
        _admits(where, episode.project, context.domain, context.language, context.framework, context.tags)
        and where.task_type in ("", episode.task_type)
        and where.outcome in ("", episode.outcome.kind if episode.outcome else None)
        and where.state in ("", episode.state)
        and in_time(where, episode.started_at_ms, episode.ended_at_ms)
    )


def restricts(where: Filter) -> bool:
    """Whether some episode could fail to meet the filter."""
    return where not in (Filter(), Filter(project=ANY_PROJECT))


def _admits(where: Filter, project: str, domain: str, language: str, framework: str, tags: Iterable[str]) -> bool:
    return (
        where.project in ("", ANY_PROJECT, project)
        and (not where.projects or project in where.projects)
        and is_named(where.domain, domain)
        and is_named(where.language, language)
        and is_named(where.framework, framework)
        and (not where.tags or {fold(tag) for tag in where.tags} <= {fold(tag) for tag in tags})
    )
