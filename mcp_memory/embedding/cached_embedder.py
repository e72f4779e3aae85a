"""An Embedder in front of an Embedder: identical text is never embedded twice, within a call, across calls, or at the same time."""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

import numpy as np

from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.status import CacheStats
from mcp_memory.ports import Cache, Embedder

NAMESPACE = "embeddings"
DEFAULT_ENTRIES = 2_048  # in this process: 3 MB of 384-d vectors
_NORM_TOLERANCE = 1e-3


class CachedEmbedder:
    """Vectors are looked up in this process, then in the shared cache, and only then computed.

    The key is a hash of space and text. Roles share an entry, because every embedder of ours gives both one vector: a task that
    was just searched for is embedded already when its episode is stored. A cached vector is bit for bit the computed one; a cached
    value that is not a unit vector of the dimension counts as missing.
    """

    def __init__(self, inner: Embedder, cache: Cache | None, *, max_entries: int = DEFAULT_ENTRIES) -> None:
        self._inner, self._cache = inner, cache
        self.space, self.dimension = inner.space, inner.dimension
        self._lock = threading.Lock()
        self._recent: BoundedMap[bytes, np.ndarray] = BoundedMap(max_entries)
        self._flights: dict[bytes, Future[np.ndarray]] = {}
        self._hits = self._misses = 0

    def embed(self, texts: Sequence[str], *, role: str = "document") -> np.ndarray:
        """Return float32 unit vectors, shape (n, dimension), in order.

        A text that another thread is embedding just now is waited for, not embedded again.

        Raises:
            ModelUnavailable, ProviderUnavailable: From the embedder behind, here or in the thread that was waited for.
        """
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        keys = [self._key(text) for text in texts]
        found, mine, awaited = self._claim(dict(zip(keys, texts, strict=True)))
        if mine:
            found |= self._fly(mine, role)
        # Own flights have landed before others are waited for, so two calls that wait for each other cannot lock up.
        found |= {key: flight.result() for key, flight in awaited.items()}
        return np.stack([found[key] for key in keys])

    def stats(self) -> CacheStats:
        """Return hits and misses of distinct texts since start, and the entries kept in this process."""
        with self._lock:
            return CacheStats(self._hits, self._misses, len(self._recent))

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(f"{self.space}\0{text}".encode("utf-8", "surrogatepass"), digest_size=20).digest()

    def _claim(self, wanted: Mapping[bytes, str]) -> tuple[dict[bytes, np.ndarray], dict[bytes, str], dict[bytes, "Future[np.ndarray]"]]:
        """Sort *wanted* into vectors at hand, texts this call has to provide, and flights of other calls."""
        found, mine, awaited = {}, {}, {}
        with self._lock:
            for key, text in wanted.items():
                recent = self._recent.get(key)
                if recent is not None:
                    found[key] = recent
                elif key in self._flights:
                    awaited[key] = self._flights[key]
                else:
                    self._flights[key] = Future()
                    mine[key] = text
            self._hits += len(found) + len(awaited)
        return found, mine, awaited

    def _fly(self, mine: Mapping[bytes, str], role: str) -> dict[bytes, np.ndarray]:
        """Read or compute the vectors of *mine* and land their flights, also when it fails."""
        try:
            vectors = self._read(list(mine))
            missing = [key for key in mine if key not in vectors]
            if missing:
                computed = self._inner.embed([mine[key] for key in missing], role=role)
                vectors |= {key: row.copy() for key, row in zip(missing, computed, strict=True)}  # a view would keep its batch alive
                if self._cache is not None:
                    self._cache.put_many(NAMESPACE, [(key, vectors[key].astype("<f4").tobytes()) for key in missing])
        except BaseException as error:
            self._land(mine, error)
            raise
        with self._lock:
            self._hits += len(mine) - len(missing)
            self._misses += len(missing)
            for key, vector in vectors.items():
                self._recent.put(key, vector)
        self._land(mine, vectors)
        return vectors

    def _land(self, keys: Mapping[bytes, str], outcome: "dict[bytes, np.ndarray] | BaseException") -> None:
        with self._lock:
            flights = {key: self._flights.pop(key) for key in keys}
        for key, flight in flights.items():
            if isinstance(outcome, BaseException):
                flight.set_exception(outcome)
            else:
                flight.set_result(outcome[key])

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, np.ndarray]:
        if self._cache is None:
            return {}
        values = self._cache.get_many(NAMESPACE, keys)
        vectors = {key: np.frombuffer(value, "<f4") for key, value in zip(keys, values, strict=True) if value and len(value) % 4 == 0}
        return {key: vector for key, vector in vectors.items() if self._is_sound(vector)}

    def _is_sound(self, vector: np.ndarray) -> bool:
        return vector.shape == (self.dimension,) and abs(float(np.linalg.norm(vector)) - 1) < _NORM_TOLERANCE
