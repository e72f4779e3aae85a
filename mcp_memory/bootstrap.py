"""`open_memory(config)`: the only file that names concrete classes."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
from anyio.abc import TaskGroup
from uuid_utils import uuid7

from mcp_memory.config import Config
from mcp_memory.config_sources import load_config
from mcp_memory.domain.backups import Checked, Restored
from mcp_memory.embedding.quantize import quantize_rows
from mcp_memory.embedding.service import EmbeddingService, open_embedding
from mcp_memory.errors import ConfigError, McpMemoryError
from mcp_memory.learning.learner import Learner
from mcp_memory.memory import EpisodicMemory
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache, SharedLog
from mcp_memory.projects import Project
from mcp_memory.remote_config import RemoteConfig
from mcp_memory.replication.later_log import LaterLog
from mcp_memory.replication.replicator import Replicator
from mcp_memory.replication.sealed_log import Keys, SealedLog
from mcp_memory.replication.sharing import SharedThrough, Sharing
from mcp_memory.replication.worker_thread import WorkerThread
from mcp_memory.retrieval.retriever import Retriever
from mcp_memory.storage.restoring import restore_backup
from mcp_memory.storage.sqlite_store import SqliteStore
from mcp_memory.verbs.background import Background
from mcp_memory.verbs.deriving import deriving
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.own_reports import own_words
from mcp_memory.verbs.projects import Projects
from mcp_memory.verbs.recovery import Recovery
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import Views

CLOSE_DEADLINE_S = 5.0
logger = logging.getLogger(__name__)


def now_ms() -> int:
    """Return the time as milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Return a UUIDv7: unique, and ordered by time."""
    return str(uuid7())


@asynccontextmanager
async def open_memory(
    config: Config | None = None, open_log: Callable[[RemoteConfig], SharedLog] | None = None
) -> AsyncIterator[EpisodicMemory]:
    """Open the memory in `config.data_dir`, creating it when absent; close it when the block ends.

    Opening migrates the schema. The views and the embedding model load in the background; answers made before they are ready say so.

    Args:
        config: The settings; None means `load_config()`: the environment and the settings file.
        open_log: Opens shared logs; None means by the scheme of their address.

    Raises:
        MigrationError: The file was written by a newer version.
        CorruptRecord: The file is damaged; it is left as it is.
        StoreUnavailable: The directory cannot be written.
    """
    config = load_config() if config is None else config
    metrics = Metrics()
    logs = [(remote, SealedLog((open_log or _open_log)(remote), _team_keys(remote))) for remote in config.remotes]
    cache, notices = _open_cache(config)
    store = await _open_store(config, metrics, cache, notices)
    embedding: EmbeddingService = open_embedding(config.embedding, cache, metrics)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        try:
            async with anyio.create_task_group() as writes:  # those nobody waits for; closing waits for them
                engines = await _engines(config, store, embedding, metrics, writes)
                background = Background(engines, quantize_rows)
                engines.sharing = sharing = _shared(engines, store, logs, background.ring)
                embedding.start()
                recovery = Recovery(engines, store.upkeep)
                for work in (sharing.run, background.run, background.run_ahead, recovery.run_scheduled):
                    tasks.start_soon(work)
                try:
                    yield EpisodicMemory(engines, background, recovery)
                except Exception as error:  # the caller's own: raised again below, outside the task groups, which would wrap it
                    failure = error
                finally:
                    writes.cancel_scope.deadline = anyio.current_time() + CLOSE_DEADLINE_S
            await sharing.finish()
            await background.finish()
        finally:
            tasks.cancel_scope.cancel()
            with anyio.move_on_after(CLOSE_DEADLINE_S, shield=True):
                await store.aclose()
            engines.close()
            sharing.close()
            embedding.close()
            if cache:
                cache.close()
    if failure is not None:
        raise failure


async def _engines(config: Config, store: SqliteStore, embedding: EmbeddingService, metrics: Metrics, writes: TaskGroup) -> Engines:
    """Return what verbs work with; *writes* runs those that nobody waits for."""
    projects = Projects(store, now_ms)
    return Engines(
        config=config,
        store=store,
        views=Views(store, SignBitIndex, lambda: embedding.spaces),
        retrieval=Retriever(store, config.retrieval, metrics, now_ms),
        learning=Learner(store, config.learning, metrics, now_ms, lambda: embedding.spaces),
        embedding=embedding,
        metrics=metrics,
        clock=now_ms,
        new_id=new_id,
        start_soon=lambda work: writes.start_soon(_guarded, work, metrics),
        default_project=await projects.kept_as(Project(config.project, config.project_before)),
        projects=projects,
    )


async def check_memory(config: Config, *, repair: bool = False) -> Checked:
    """Compare everything stored with everything else; with *repair* make again what can be derived. May take seconds.

    The views are not opened before that: damage that keeps them from loading must not be in the way.
    """
    cache, _ = _open_cache(config)
    store = await SqliteStore.open(config.data_dir, config.storage, Metrics(), now_ms, cache)
    done: list[str] = [cache_anew] if cache and (cache_anew := cache.stats().rebuilt or "") else []
    lost: list[str] = []
    try:
        problems = await anyio.to_thread.run_sync(store.check)
        if repair and problems:
            mended, lost = await store.upkeep.repair()
            done += mended
        copies = await anyio.to_thread.run_sync(lambda: store.check_copies(repair=repair))
        done += copies.repaired
        if not repair or not (problems or copies.repaired):
            return Checked((*problems, *copies.problems), tuple(done))
    finally:
        await store.aclose()
        if cache:
            cache.close()  # after which everything is in its file
    if lost:
        async with open_memory(config) as memory:
            await memory.derive(lost)
        done.append(f"{len(lost)} episodes read again: traces, texts, evidence")
    return Checked((await check_memory(config)).problems, tuple(done))


def restore_memory(config: Config, file: Path, *, verify_only: bool = False) -> Restored:
    """Verify a backup, and put it into the place of the memory in `config.data_dir` (blocking); see `storage.restoring`."""
    return restore_backup(file, config.data_dir, now_ms(), verify_only=verify_only)


def _shared(engines: Engines, store: SqliteStore, logs: Sequence[tuple[RemoteConfig, SharedLog]], arrived: Callable[[], None]) -> Sharing:
    """Return what shares the memory through the logs."""
    origin, derive, through = store.info().replica_id, deriving(engines), list[SharedThrough]()
    for remote, log in logs:
        thread = WorkerThread(f"shared log {remote.address}")
        given = (store, log, remote.address, origin, remote.projects, derive, engines.clock, thread.run, arrived)
        through.append(SharedThrough(Replicator(*given), log, thread, waits=remote.ack == "remote"))
    return Sharing(store, engines.config.data_dir, through, engines.clock, engines.metrics)


def _open_log(remote: RemoteConfig) -> SharedLog:
    """Return the log of an address, by its scheme; one whose token the keyring has is opened at its first use.

    Raises:
        ConfigError: psycopg is needed and is not here.
    """
    if not remote.keyring:
        return _log_of(remote)
    return LaterLog(lambda: _log_of(replace(remote, token=keyring_tokens().read(remote.address))))


def _team_keys(remote: RemoteConfig) -> Keys | None:
    """Return what seals the facts of a log, None where nothing does. Raises ConfigError: the team key is none."""
    if not remote.team_key:
        return None
    from mcp_memory.replication.team_key import TeamKeys

    return TeamKeys(remote.team_key)


def keyring_tokens() -> ModuleType:
    """Return the module that asks the platform's keyring. Raises ConfigError: the extra is not installed."""
    try:
        from mcp_memory import keyring_tokens
    except ImportError as error:
        raise ConfigError.without_extra("a token in the keyring needs the library keyring", "keyring", error) from error
    return keyring_tokens


def _log_of(remote: RemoteConfig) -> SharedLog:
    if not remote.url.startswith("postgres"):
        from mcp_memory.replication.hrana_log import HranaLog

        return HranaLog(remote.url, remote.token)
    try:
        from mcp_memory.replication.postgres_log import PostgresLog
    except ImportError as error:
        raise ConfigError.without_extra("PostgreSQL needs psycopg", "postgres", error) from error
    return PostgresLog(remote.url, remote.token)


async def _open_store(config: Config, metrics: Metrics, cache: Cache | None, notices: Sequence[str]) -> SqliteStore:
    """Return the store, which tells patterns as whoever asks may read them, and keeps what its remotes are to get."""
    store = await SqliteStore.open(config.data_dir, config.storage, metrics, now_ms, cache, notices)
    store.worded = own_words
    await store.share_with([remote.address for remote in config.remotes])
    return store


def _open_cache(config: Config) -> tuple[Cache | None, tuple[str, ...]]:
    """Return the hot tier, and what is to be said where there is none although there should be: answers are the same without it."""
    if not config.storage.cache_enabled:
        return None, ()
    try:
        from mcp_memory.storage.lmdb_cache import LmdbCache
    except ImportError as error:  # a platform without a build of lmdb
        notice = f"the hot tier is off: lmdb cannot be imported ({error}); install it, or set storage.cache_enabled = false"
        logger.warning(notice)
        return None, (notice,)
    return LmdbCache(config.data_dir / "cache", config.storage.cache_max_bytes), ()


async def _guarded(work: Callable[[], Coroutine[Any, Any, None]], metrics: Metrics) -> None:
    try:
        await work()
    except McpMemoryError as error:  # nobody waits for it: what was shown is a statistic, not an acknowledged write
        metrics.count("background_errors")
        logger.warning("background write: %s", error.line())
