"""What the facade reports: about many episodes at once, and about what was done to episodes. Of its own state: `status`.

Conventions as in `answers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_memory.domain.answers import EpisodeRow
from mcp_memory.domain.curation import Handoff, Link


@dataclass(frozen=True, slots=True)
class Checkpoint:
    checkpoint_id: str
    handoff: Handoff


@dataclass(frozen=True, slots=True)
class Resumed:
    episode_id: str
    handoff: Handoff
    steps_carried: int


@dataclass(frozen=True, slots=True)
class Linked:
    link_id: str | None
    removed: bool


@dataclass(frozen=True, slots=True)
class RelatedEpisodes:
    nodes: tuple[EpisodeRow, ...]
    edges: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    start: str  # the day, or the Monday of the week
    value: float
    count: int


@dataclass(frozen=True, slots=True)
class Changepoint:
    """Where a metric's level changed."""

    at: str
    episode_id: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class TaskCluster:
    label: str
    size: int
    success_rate: float
    mean_reward: float
    example_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroupOutcomes:
    episodes: int
    successes: int
    success_rate: float | None
    interval: tuple[float, ...]
    mean_reward: float | None


@dataclass(frozen=True, slots=True)
class Holdout:
    """Outcomes with and without memory, and what their difference and its 95 % interval say."""

    share: float
    with_memory: GroupOutcomes
    without_memory: GroupOutcomes
    difference: float
    interval: tuple[float, ...]
    verdict: str


@dataclass(frozen=True, slots=True)
class Trends:
    series: tuple[SeriesPoint, ...]
    changepoints: tuple[Changepoint, ...]
    clusters: tuple[TaskCluster, ...]
    holdout: Holdout | None = None
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forgotten:
    would_delete: Mapping[str, int] | None
    deleted: Mapping[str, int] | None
    episode_ids: tuple[str, ...]  # the first 50


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A source and whether nothing of it counts."""

    kind: str  # agent or session
    name: str
    active: bool
    episodes: int  # that it has
    reason: str
    by: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Pruned:
    would_delete: Mapping[str, int] | None
    deleted: Mapping[str, int] | None
    archive: str | None
    episode_ids: tuple[str, ...]  # the first 50


@dataclass(frozen=True, slots=True)
class ImportReport:
    added: int
    skipped: int  # there already, by external_id
    open: int  # of the added, without an outcome
    errors: tuple[tuple[int, str], ...]  # (line number from 1, reason)
    ignored: Mapping[str, int] = field(default_factory=dict)  # unknown fields, and in how many places
    converted: Mapping[str, int] = field(default_factory=dict)  # times that were no milliseconds: their unit, and how many
    records: int = 0  # links, checkpoints, corrections and votes added
    records_skipped: int = 0  # there already
