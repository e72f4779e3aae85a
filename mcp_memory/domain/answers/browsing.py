"""What is answered when somebody lists and opens what is stored: episodes, patterns and their evidence."""

from collections.abc import Mapping
from dataclasses import dataclass

from mcp_memory.domain.answers.recalling import RecalledPattern
from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.pattern import NEVER_SHOWN, ConfidenceNumbers, PatternUsage


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """A compact row of a listing."""

    episode_id: str
    external_id: str | None
    project: str
    task: str  # the first 200 characters
    task_type: str
    domain: str
    language: str
    framework: str
    tags: tuple[str, ...]
    state: str
    outcome: str | None
    reward: float | None
    step_count: int
    started_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """Rows of a listing. Of words that very many episodes have, counting stops: there are more than `total` then."""

    episodes: tuple[EpisodeRow, ...]
    next_cursor: str | None
    total: int
    more_than_total: bool = False


@dataclass(frozen=True, slots=True)
class EpisodeDetail:
    """One episode; `episode.steps` holds the asked-for range, `next_step_from` is set when there are more."""

    episode: Episode
    tags: tuple[str, ...]
    next_step_from: int | None = None
    correction: str | None = None  # of its lessons


@dataclass(frozen=True, slots=True)
class PatternPage:
    patterns: tuple[RecalledPattern, ...]
    next_cursor: str | None
    total: int
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """What one episode says for or against a pattern."""

    episode_id: str
    success: bool
    weight: float
    at: str
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class PatternDetail:
    pattern: RecalledPattern
    content: Mapping[str, Json]
    project: str
    first_at_ms: int
    last_at_ms: int
    evidence: tuple[ShownEvidence, ...]
    confidence_from: ConfidenceNumbers
    failed_in: tuple[str, ...]  # episode ids
    usage: PatternUsage = NEVER_SHOWN
    retired: bool = False
