"""A Cache in a dict."""

import threading
from collections.abc import Iterable, Iterator, Sequence

from mcp_memory.domain.status import DiskCacheStats
from mcp_memory.ports import CacheEntry


class InMemoryCache:
    """See `ports.Cache`. Entries leave oldest first when the values exceed *max_bytes*."""

    def __init__(self, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_bytes, self._used_bytes = max_bytes, 0
        self._lock = threading.Lock()
        self._items: dict[tuple[str, bytes], bytes] = {}
        self._hits = self._misses = self._evictions = 0

    def get_many(self, namespace: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the values in order, None where missing."""
        with self._lock:
            found = [self._items.get((namespace, key)) for key in keys]
        hits = sum(value is not None for value in found)
        self._hits += hits
        self._misses += len(found) - hits
        return found

    def put_many(self, namespace: str, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep the items."""
        with self._lock:
            for key, value in items:
                self._drop((namespace, key))
                self._items[namespace, key] = bytes(value)
                self._used_bytes += len(value)
            while self._used_bytes > self._max_bytes and self._items:
                self._drop(next(iter(self._items)))
                self._evictions += 1

    def delete_many(self, namespace: str, keys: Sequence[bytes]) -> None:
        """Forget the keys."""
        with self._lock:
            for key in keys:
                self._drop((namespace, key))

    def walk(self) -> Iterator[CacheEntry]:
        """Yield everything it holds."""
        with self._lock:
            items = list(self._items.items())
        for (namespace, key), value in items:
            yield CacheEntry(namespace, key, value, namespace.encode() + b"\0" + key)

    def drop(self, handles: Iterable[bytes]) -> None:
        """Forget entries that a walk met."""
        for handle in handles:
            namespace, _, key = handle.partition(b"\0")
            self.delete_many(namespace.decode(), [key])

    def stats(self) -> DiskCacheStats:
        """Return what it holds."""
        return DiskCacheStats(
            hits=self._hits,
            misses=self._misses,
            errors=0,
            entries=len(self._items),
            used_bytes=self._used_bytes,
            max_bytes=self._max_bytes,
            evictions=self._evictions,
            rebuilt="",
        )

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._used_bytes = 0

    def _drop(self, key: tuple[str, bytes]) -> None:
        self._used_bytes -= len(self._items.pop(key, b""))
