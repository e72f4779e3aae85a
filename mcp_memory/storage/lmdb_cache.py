"""A Cache on a memory-mapped file, shared by all server processes of the machine. Losing it costs time, never data.

Puts are written behind by one thread, so no caller waits for a sync or for another process' lock; until then they are answered
from memory. Every failure here is absorbed and counted: each entry is a copy of something, so a miss is always a right answer.
"""

import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

from mcp_memory.domain.status import DiskCacheStats
from mcp_memory.ports import CacheEntry
from mcp_memory.storage.lmdb_environment import CacheError, Environment, is_damage, is_full
from mcp_memory.storage.lmdb_files import discard, identity

MAX_PENDING_BYTES = 64 * 1024 * 1024  # of values not yet written; more are dropped, and counted
MAX_BATCH_ITEMS = 1_000
MAX_LINGERING_BYTES = 4 * 1024 * 1024  # of values that wait for more to come
LINGER_S = 0.05  # a call that puts something is on its way to its answer, and the writer would take turns with it
WALKED_AT_ONCE = 500  # entries of one read transaction: a long one keeps freed pages from being used again
MAX_KEY_BYTES = 400  # LMDB allows 511; longer ones go in by their hash
CLOSE_DEADLINE_S = 5.0
EVICT_WHEN_FULL = 0.3
logger = logging.getLogger(__name__)

_Items = dict[bytes, bytes | None]  # None: to be deleted


class LmdbCache:
    """See `ports.Cache`. Entries leave oldest first when the file is full."""

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int) -> None:
        self._folder, self._max_bytes, self._pid = Path(folder), max_bytes, os.getpid()
        self._hits = self._misses = self._errors = self._evictions = self._dropped = 0
        self._rebuilt = ""
        self._damage = ""  # set where a read met it; the writing thread rebuilds
        self._lock = threading.Lock()  # around reads, which take microseconds, and the exchange of the file
        self._wake = threading.Condition()
        self._pending: _Items = {}
        self._writing: _Items = {}
        self._pending_bytes = 0
        self._closed = False
        self._flushing = 0  # callers of `flush`
        self._forgets = False  # whether a deletion is among what waits: that is not put off
        self._environment: Environment | None = None
        self._open()
        self._thread = threading.Thread(target=self._run, name="memory-cache", daemon=True)
        self._thread.start()

    def get_many(self, namespace: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in order, None where missing."""
        full = [_full_key(namespace, key) for key in keys]
        with self._wake:
            waiting = {key: items[key] for key in full for items in (self._writing, self._pending) if key in items}
        stored = self._read([key for key in full if key not in waiting])
        found = [waiting[key] if key in waiting else stored.get(key) for key in full]
        hits = sum(value is not None for value in found)
        self._hits += hits
        self._misses += len(found) - hits
        return found

    def put_many(self, namespace: str, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep the items; returns at once. They may be dropped when too much waits to be written."""
        self._queue([(_full_key(namespace, key), value) for key, value in items])

    def delete_many(self, namespace: str, keys: Sequence[bytes]) -> None:
        """Forget the keys."""
        self._queue([(_full_key(namespace, key), None) for key in keys])

    def drop(self, handles: Iterable[bytes]) -> None:
        """Forget entries that a walk met, by what they are kept under."""
        self._queue([(full, None) for full in handles])

    def flush(self) -> None:
        """Wait until everything put so far is in the file or dropped, but not for ever."""
        with self._wake:
            self._flushing += 1
            self._wake.notify_all()
            self._wake.wait_for(lambda: self._closed or not (self._pending or self._writing), CLOSE_DEADLINE_S)
            self._flushing -= 1

    def walk(self) -> Iterator[CacheEntry]:
        """Yield everything in the file, WALKED_AT_ONCE of one moment."""
        after = b""
        while True:
            with self._lock:
                if not self._usable():
                    return
                assert self._environment is not None
                try:
                    found = self._environment.walk(after, WALKED_AT_ONCE)
                except CacheError as error:
                    self._failed(error)
                    return
            for full, value in found:
                mark = min((at for at in (full.find(b"\0"), full.find(b"\1")) if at >= 0), default=0)
                yield CacheEntry(full[:mark].decode("utf-8", "replace"), full[mark + 1 :], value, full)
            if len(found) < WALKED_AT_ONCE:
                return
            after = found[-1][0]

    def stats(self) -> DiskCacheStats:
        """Return what it holds, and how it served since it was opened."""
        entries = used_bytes = 0
        processes = 1
        with self._lock:
            if self._usable():
                assert self._environment is not None
                try:
                    entries, used_bytes = self._environment.entries(), self._environment.used_bytes()
                    processes = self._environment.process_count()
                except CacheError as error:
                    self._failed(error)
        return DiskCacheStats(
            hits=self._hits,
            misses=self._misses,
            errors=self._errors,
            entries=entries,
            used_bytes=used_bytes,
            max_bytes=self._max_bytes,
            evictions=self._evictions,
            dropped=self._dropped,
            processes=processes,
            rebuilt=self._rebuilt,
        )

    def close(self) -> None:
        """Write what waits and unmap the file. Twice is fine."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        self._thread.join(CLOSE_DEADLINE_S)
        with self._lock:
            if self._environment is not None and self._pid == os.getpid():
                self._environment.close()
            self._environment = None

    # --- reading ---

    def _usable(self) -> bool:
        return self._environment is not None and not self._damage and self._pid == os.getpid()  # a map must not be used after a fork

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, bytes | None]:
        if not keys:
            return {}
        with self._lock:
            if not self._usable():
                return {}
            assert self._environment is not None
            try:
                values, spoiled = self._environment.get_many(keys)
            except CacheError as error:
                self._failed(error)
                return {}
        self._errors += spoiled
        return dict(zip(keys, values, strict=True))

    def _failed(self, error: CacheError) -> None:
        self._errors += 1
        logger.debug("cache: %s", error)
        if is_damage(error):
            self._damage = str(error)

    # --- writing behind ---

    def _queue(self, items: Sequence[tuple[bytes, bytes | None]]) -> None:
        if self._pid != os.getpid():
            return
        with self._wake:
            if self._closed or self._environment is None:
                return
            was_idle = not self._pending
            for key, value in items:
                size_bytes = _size_bytes(key, value)
                replaced_bytes = _size_bytes(key, self._pending[key]) if key in self._pending else 0
                # A deletion is a key alone, and what is forgotten must not stay.
                if value is not None and self._pending_bytes - replaced_bytes + size_bytes > MAX_PENDING_BYTES:
                    self._dropped += 1
                    continue
                self._pending[key] = value
                self._forgets |= value is None
                self._pending_bytes += size_bytes - replaced_bytes
            if was_idle or self._is_due():
                self._wake.notify_all()

    def _is_due(self) -> bool:
        """Whether what waits is to be written without waiting for more."""
        is_much = len(self._pending) >= MAX_BATCH_ITEMS or self._pending_bytes >= MAX_LINGERING_BYTES
        return self._closed or self._flushing > 0 or self._forgets or is_much

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._pending or self._closed)
                if not self._pending:
                    return
                self._wake.wait_for(self._is_due, LINGER_S)
                self._writing = self._next_batch()
            try:
                self._write(list(self._writing.items()))
            except (CacheError, OSError) as error:
                self._errors += 1
                logger.debug("cache: %s", error)
            finally:
                with self._wake:
                    self._writing = {}
                    self._wake.notify_all()

    def _next_batch(self) -> _Items:
        limit_bytes = self._environment.max_batch_bytes if self._environment else MAX_PENDING_BYTES
        batch: _Items = {}
        taken_bytes = 0
        for key, value in self._pending.items():
            if batch and (taken_bytes > limit_bytes or len(batch) == MAX_BATCH_ITEMS):
                break
            batch[key] = value
            taken_bytes += _size_bytes(key, value)
        for key in batch:
            del self._pending[key]
        self._forgets &= bool(self._pending)
        self._pending_bytes -= taken_bytes
        return batch

    def _write(self, items: list[tuple[bytes, bytes | None]]) -> None:
        environment = self._environment
        if environment is None:
            return
        if not environment.is_current():
            environment = self._start_anew("the cache was deleted while it was in use")
        elif self._damage:
            environment = self._start_anew(f"the cache was damaged ({self._damage})", damaged=environment)
        for attempt in range(3):
            if environment is None:
                return
            try:
                self._evictions += environment.write(items)
                return
            except CacheError as error:
                if attempt == 2:
                    raise
                if is_damage(error):
                    environment = self._start_anew(f"the cache was damaged ({error})", damaged=environment)
                elif is_full(error):
                    self._evictions += environment.evict(EVICT_WHEN_FULL)
                else:
                    raise

    def _start_anew(self, reason: str, *, damaged: Environment | None = None) -> Environment | None:
        """Exchange the file for a new one, or for the one that another process has made already."""
        with self._lock:
            if self._environment is not None:
                self._environment.close()
                self._environment = None
            if damaged is not None:
                discard(self._folder, damaged.identity)
            self._damage = ""
            self._open()
            self._rebuilt = self._rebuilt or f"{reason}; it fills again"
            return self._environment

    def _open(self) -> None:
        """Open the file; one that cannot be read is deleted first. Without a file every get is a miss."""
        for attempt in range(2):
            found = identity(self._folder)
            try:
                self._environment = Environment(self._folder, self._max_bytes)
                return
            except (CacheError, OSError) as error:
                self._errors += 1
                logger.warning("cache: %s", error)
                if attempt == 0 and is_damage(error):
                    self._rebuilt = f"the cache could not be read ({error}); it fills again"
                    try:
                        discard(self._folder, found)
                        continue
                    except OSError as blocked:
                        logger.warning("cache: %s", blocked)
                self._rebuilt = f"the cache cannot be opened ({error}); the durable store answers alone"
                return


def _size_bytes(key: bytes, value: bytes | None) -> int:
    return len(key) + len(value or b"")


def _full_key(namespace: str, key: bytes) -> bytes:
    full = namespace.encode() + b"\0" + key
    return full if len(full) <= MAX_KEY_BYTES else namespace.encode()[:100] + b"\1" + blake2b(full, digest_size=32).digest()
