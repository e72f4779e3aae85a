"""What the facade reports: about the memory as a whole, and about what was done to its episodes.

Conventions as in `answers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_memory.domain.answers import EpisodeRow
from mcp_memory.domain.episode import Json


@dataclass(frozen=True, slots=True)
class Checkpoint:
    checkpoint_id: str
    handoff: Mapping[str, Json]  # goal, done[], worked[], failed[], facts[], next[]


@dataclass(frozen=True, slots=True)
class Resumed:
    episode_id: str
    handoff: Mapping[str, Json]
    steps_carried: int


@dataclass(frozen=True, slots=True)
class Linked:
    link_id: str | None
    removed: bool


@dataclass(frozen=True, slots=True)
class RelatedEpisodes:
    nodes: tuple[EpisodeRow, ...]
    edges: tuple[Mapping[str, Json], ...]  # from_id, to_id, type, note


@dataclass(frozen=True, slots=True)
class Trends:
    series: tuple[Mapping[str, Json], ...]
    changepoints: tuple[Mapping[str, Json], ...]  # at, before, after
    clusters: tuple[Mapping[str, Json], ...]  # label, size, success_rate, example_ids
    holdout: Mapping[str, Json] | None = None  # outcomes with and without memory, with an interval
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
class Status:
    version: str
    data_dir: str
    project: str
    durability: str
    counts: Mapping[str, int]
    latency_ms: Mapping[str, Mapping[str, float]]
    caches: Mapping[str, Mapping[str, Json]]
    embedding: Mapping[str, Json]  # model_id, dimension, state, fallback
    replication: Mapping[str, Json]  # state, lag, pending, last_error
    processes: int
    learning: Mapping[str, Json]
    warnings: tuple[str, ...]
    degraded: tuple[str, ...] = ()
    kept_as: Mapping[str, str] = field(default_factory=dict)  # projects whose memories are kept under an earlier name


@dataclass(frozen=True, slots=True)
class ImportReport:
    added: int
    skipped: int  # there already, by external_id
    open: int  # of the added, without an outcome
    errors: tuple[tuple[int, str], ...]  # (line number from 1, reason)
    ignored: Mapping[str, int] = field(default_factory=dict)  # unknown fields, and in how many places
    converted: Mapping[str, int] = field(default_factory=dict)  # times that were no milliseconds: their unit, and how many
