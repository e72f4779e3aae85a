"""What the memory reports about its own state. Counts are since the process started where nothing else is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mcp_memory.domain.reports import Holdout


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Of a cache in this process."""

    hits: int
    misses: int
    entries: int


@dataclass(frozen=True, slots=True)
class DiskCacheStats:
    """Of a cache on disk that processes share; all None where it is off."""

    hits: int | None = None
    misses: int | None = None
    errors: int | None = None
    entries: int | None = None
    used_bytes: int | None = None
    max_bytes: int | None = None
    evictions: int | None = None
    dropped: int | None = None
    processes: int | None = None  # that have it open
    rebuilt: str | None = None  # why it was made anew, "" where it was not


@dataclass(frozen=True, slots=True)
class Caches:
    hot_tier: DiskCacheStats
    queries: CacheStats
    embeddings: CacheStats


@dataclass(frozen=True, slots=True)
class EmbeddingStatus:
    """Of the best space in use."""

    provider: str  # as configured
    in_use: str
    model_id: str
    dimension: int
    state: str
    fallback: str  # the space that answers in an outage
    spaces: tuple[str, ...]
    load_ms: float
    degraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """How the memory stands with one shared log."""

    url: str
    state: str  # in step, behind, not configured here, unreachable, refused
    lag_ms: int | None  # since it was in step; 0 while it is, None before the first time
    pending: int  # rows of the outbox that the log does not have
    last_error: str
    in_step_at_ms: int | None
    resyncs: int  # how often the log had gone back


@dataclass(frozen=True, slots=True)
class Replication:
    """The worst of all shared logs, and each of them."""

    state: str = "off"
    lag: int | None = None  # milliseconds
    pending: int = 0
    last_error: str | None = None
    remotes: tuple[RemoteStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class ExperienceStats:
    """What the experience holds."""

    episodes: int
    steps: int
    tools: int
    failed_steps: int


@dataclass(frozen=True, slots=True)
class LearningStatus(ExperienceStats):
    holdout: Holdout


@dataclass(frozen=True, slots=True)
class RetrievalStats:
    query_cache: CacheStats
    vectors: Mapping[str, int]  # by space
    traces: int


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """Where and how a store keeps its data."""

    path: str
    size_bytes: int
    schema_version: int
    replica_id: str
    synchronous: str
    journal_mode: str
    queue_depth: int
    compression_ratio: float | None  # of the records written by this process, None before the first
    file_system: str
    notices: tuple[str, ...]
    cache: DiskCacheStats = DiskCacheStats()  # the hot tier


@dataclass(frozen=True, slots=True)
class Status:
    version: str
    data_dir: str
    project: str
    durability: str
    counts: Mapping[str, int]
    latency_ms: Mapping[str, Mapping[str, float]]
    caches: Caches
    embedding: EmbeddingStatus
    replication: Replication
    processes: int
    learning: LearningStatus
    warnings: tuple[str, ...]
    degraded: tuple[str, ...] = ()
    queue_depth: int = 0  # writes of this process that wait for their commit
    kept_as: Mapping[str, str] = field(default_factory=dict)  # projects whose memories are kept under an earlier name
