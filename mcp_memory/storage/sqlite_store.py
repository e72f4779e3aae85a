"""A Store on one SQLite file: rows for episodes, steps and evidence, FTS5, the change feed. Losing this file loses data.

Copies of completed episodes may be kept in a cache in front of it (`hot_tier.py`).

Writes are functions run by the batcher's thread; reads are in `store_reads.py`.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from mcp_memory.config import StorageConfig
from mcp_memory.domain.curation import Correction, Handoff
from mcp_memory.domain.episode import Episode, Json, Step
from mcp_memory.domain.feedback import Feedback, Recommendation
from mcp_memory.domain.sources import Quarantine
from mcp_memory.domain.status import DiskCacheStats, StoreInfo
from mcp_memory.errors import StoreUnusable
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Cache, Clock, Completion, VectorRow
from mcp_memory.storage import advice_writes, completion_writes, curation_writes, episode_writes, link_writes, quarantine_writes
from mcp_memory.storage.arrivals import Arrival
from mcp_memory.storage.codec import Codec
from mcp_memory.storage.connection import Connection, open_writer
from mcp_memory.storage.fact_writes import Applied
from mcp_memory.storage.file_system import file_system_of, notices_of
from mcp_memory.storage.hot_tier import HotTier
from mcp_memory.storage.integrity import text_index_problems
from mcp_memory.storage.migrations import migrate, require_schema
from mcp_memory.storage.own_file import require_own_name
from mcp_memory.storage.purge import Purge
from mcp_memory.storage.store_sharing import Apply, StoreSharing
from mcp_memory.storage.tables import Tables, Transaction
from mcp_memory.storage.upkeep import SqliteUpkeep
from mcp_memory.storage.wal_checkpointer import WalCheckpointer
from mcp_memory.storage.write_batcher import WriteBatcher
from mcp_memory.user_data import expanded

FILE_NAME = "memory.db"
APPLY_S = 0.25  # of one transaction with what other machines told: writers of other processes wait for it
P = ParamSpec("P")
T = TypeVar("T")


class SqliteStore(StoreSharing):
    """The durable tier, and the hot one where there is a cache. Open with `open`, close with `aclose`."""

    def __init__(
        self,
        path: Path,
        config: StorageConfig,
        metrics: Metrics,
        clock: Clock,
        writer: Connection,
        schema_version: int,
        cache: Cache | None,
        notices: Sequence[str],
    ) -> None:
        super().__init__(path)
        self._config, self._clock, self._writer, self._schema_version = config, clock, writer, schema_version
        self._name = str(path)  # looked at twice a transaction: a Path takes three times as long
        self._file = _identity(self._name)
        self._notices = tuple(notices)
        self._log_path = path.with_name(path.name + "-wal")

        def open_another() -> Connection:
            return open_writer(
                path, synchronous=config.synchronous, busy_timeout_ms=config.busy_timeout_ms, deadline_ms=config.busy_deadline_ms
            )

        self._open_another = open_another
        self.upkeep = SqliteUpkeep(path, open_another, self._write, clock, self._copies_of_damaged)
        self._wal_checkpointer = WalCheckpointer(open_another)
        self._purge = Purge(open_another)
        self._codec = Codec(config.compress_over_bytes)
        if cache is not None:
            self._hot = HotTier(cache, Codec(config.compress_over_bytes), metrics, self, str(Tables(writer).value("replica")))
        self._batcher = WriteBatcher(
            writer,
            max_queue_size=config.max_queue_size,
            max_batch_size=config.max_batch_size,
            busy_deadline_ms=config.busy_deadline_ms,
            metrics=metrics,
            before_answer=self._require_file,
            after_batch=self._upkeep,
        )

    @classmethod
    async def open(
        cls,
        data_dir: str | os.PathLike[str],
        config: StorageConfig,
        metrics: Metrics,
        clock: Clock,
        cache: Cache | None = None,
        notices: Sequence[str] = (),
    ) -> "SqliteStore":
        """Open `memory.db` in *data_dir*, creating both when absent and bringing the schema up to date.

        *cache* stays its owner's: closing the store leaves it open. *notices* are what an operator should know, besides what `info` finds.

        Raises:
            MigrationError: Written by a newer version, or not ours.
            CorruptRecord: Damaged; the file is left as it is.
            StoreUnavailable: Cannot be opened or written.
        """

        def opened() -> SqliteStore:
            path = Path(expanded(str(data_dir))) / FILE_NAME
            writer = open_writer(
                path, synchronous=config.synchronous, busy_timeout_ms=config.busy_timeout_ms, deadline_ms=config.busy_deadline_ms
            )
            try:
                version = migrate(writer, clock, config.busy_deadline_ms)
                require_schema(writer)
                require_own_name(writer, path, config.busy_deadline_ms)
                return cls(path, config, metrics, clock, writer, version, cache, notices)
            except BaseException:
                writer.close()
                raise

        return await asyncio.get_running_loop().run_in_executor(None, opened)

    async def aclose(self) -> None:
        """Write what is queued and close. Twice is fine."""
        await self._batcher.aclose()
        await asyncio.get_running_loop().run_in_executor(None, self._wal_checkpointer.close)
        self._close_readers()
        self._writer.close()

    # --- writes ---

    async def start_episode(self, episode: Episode) -> None:
        await self._write(episode_writes.start_episode, episode)

    async def append_steps(self, episode_id: str, steps: Sequence[Step]) -> int:
        return await self._write(episode_writes.append_steps, episode_id, steps)

    async def complete_episode(self, completion: Completion) -> None:
        await self._write(episode_writes.complete_episode, completion)

    async def import_episodes(self, items: Sequence[Completion | Episode]) -> list[bool]:
        return await self._write(episode_writes.import_episodes, items)

    async def reindex(self, completions: Sequence[Completion]) -> None:
        await self._write(completion_writes.reindex, completions)

    async def put_vectors(self, space: str, rows: Sequence[VectorRow]) -> None:
        await self._write(advice_writes.put_vectors, space, rows)

    async def put_recommendation(self, recommendation: Recommendation) -> None:
        await self._write(advice_writes.put_recommendation, recommendation)

    async def put_feedback(self, feedback: Feedback) -> None:
        await self._write(advice_writes.put_feedback, feedback)

    async def update_episode(
        self,
        episode_id: str,
        *,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
        metadata: Mapping[str, Json] | None = None,
        task: str | None = None,
        add_lessons: Sequence[str] = (),
    ) -> None:
        await self._write(curation_writes.update_episode, episode_id, add_tags, remove_tags, metadata, task, add_lessons)

    async def replace_outcome(self, completion: Completion, *, metadata: Mapping[str, Json], add_lessons: Sequence[str] = ()) -> None:
        await self._write(curation_writes.replace_outcome, completion, metadata, add_lessons)

    async def put_link(self, from_id: str, to_id: str, link_type: str, note: str, at_ms: int) -> str:
        return await self._write(link_writes.put_link, from_id, to_id, link_type, note, at_ms)

    async def remove_link(self, from_id: str, to_id: str, link_type: str) -> bool:
        return await self._write(link_writes.remove_link, from_id, to_id, link_type, self._clock())

    async def put_checkpoint(self, checkpoint_id: str, episode_id: str, handoff: Handoff, at_ms: int) -> None:
        await self._write(advice_writes.put_checkpoint, checkpoint_id, episode_id, handoff, at_ms)

    async def put_correction(self, target_id: str, correction: Correction, at_ms: int) -> str:
        return await self._write(advice_writes.put_correction, target_id, correction, at_ms)

    async def put_quarantine(self, quarantine: Quarantine, *, active: bool) -> int:
        return await self._write(quarantine_writes.put_quarantine, quarantine, active=active)

    async def abandon_episodes(self, ids: Sequence[str], at_ms: int) -> int:
        return await self._write(episode_writes.abandon_episodes, ids, at_ms)

    async def delete_episodes(self, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
        counts = await self._write(self._delete_and_purge, ids, reason, at_ms)
        if self._hot is not None:
            self._hot.drop(ids)
        return counts

    def info(self) -> StoreInfo:
        """Return where and how the data is kept."""
        with self._readers.reader() as connection:
            journal_mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            replica_id = Tables(connection).value("replica")
        raw, stored = self._codec.raw_bytes, self._codec.stored_bytes
        cache = self._hot.stats() if self._hot is not None else DiskCacheStats()
        return StoreInfo(
            path=str(self._path),
            size_bytes=sum(_size_bytes(p) for p in (self._path, self._log_path)),
            schema_version=self._schema_version,
            replica_id=str(replica_id),
            synchronous=self._config.synchronous,
            journal_mode=journal_mode,
            queue_depth=self._batcher.depth,
            compression_ratio=round(raw / stored, 3) if stored else None,
            file_system=file_system_of(self._path),
            notices=(*notices_of(self._path), *self._notices, *((cache.rebuilt,) if cache.rebuilt else ())),
            cache=cache,
        )

    def check(self) -> list[str]:
        """As `StoreReads.check`, and let FTS5 look at its own structure, for which it wants the right to write."""
        return [*super().check(), *text_index_problems(self._open_another, self._config.busy_deadline_ms)]

    async def _write(self, write: Callable[Concatenate[Transaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._batcher.run(partial(self._in_transaction, write, args, kwargs))

    async def _apply(self, arrivals: Sequence[Arrival], apply: Apply) -> int:
        applied = await self._batcher.run(partial(self._applied, arrivals, apply))
        if applied.deleted and self._hot is not None:
            self._hot.drop(applied.deleted)
        return applied.facts

    def _applied(self, arrivals: Sequence[Arrival], apply: Apply, connection: Connection) -> Applied:
        until = time.monotonic() + APPLY_S

        def is_enough() -> bool:
            return self._batcher.depth > 0 or time.monotonic() > until

        tx = Transaction(connection, self._codec, self._clock(), applies=True)
        applied = apply(tx, arrivals, is_enough)
        if applied.deleted:
            self._purge.want()
        return applied

    def _in_transaction(self, write: Callable[..., T], args: Sequence[Any], kwargs: Mapping[str, Any], connection: Connection) -> T:
        return write(Transaction(connection, self._codec, self._clock()), *args, **kwargs)

    def _delete_and_purge(self, tx: Transaction, ids: Sequence[str], reason: str, at_ms: int) -> Mapping[str, int]:
        self._purge.want()
        return curation_writes.delete_episodes(tx, ids, reason, at_ms)

    def _require_file(self) -> None:
        """Raise StoreUnusable when `memory.db` is another file than the one that is open: what is written there, nobody would find."""
        if _identity(self._name) != self._file:
            raise StoreUnusable(
                f"{self._path} was deleted or replaced while it was open; nothing more is acknowledged",
                hint="Start the server again to go on with the file that is there now.",
            )

    def _upkeep(self, connection: Connection) -> bool:
        """Purge deleted text, milliseconds at a time, after the callers have their answers."""
        self._wal_checkpointer.note(connection.total_changes)
        if self._purge.pending and _identity(self._name) == self._file:
            return self._purge.work(connection, self._config.busy_deadline_ms)
        return False


def _identity(path: str) -> tuple[int, int] | None:
    """Return what tells the file at *path* from any other; None where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
