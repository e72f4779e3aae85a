"""What computes: caches, embedders and vector indexes; and what retrieval, learning and the verbs hand to each other."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mcp_memory.domain.episode import Episode, Json, Reflection, Reward
from mcp_memory.domain.pattern import Observation
from mcp_memory.domain.status import DiskCacheStats

if TYPE_CHECKING:
    import numpy as np

Clock = Callable[[], int]  # milliseconds since the epoch

Neighbours = Sequence[tuple[str, float]]  # (episode id, task similarity in [0, 1]), best first


class CacheEntry(NamedTuple):
    """What a walk of a cache meets."""

    namespace: str
    key: bytes  # of one that is too long to be kept as it is, what it is kept under
    value: bytes | None  # None where its sum is wrong
    handle: bytes  # for `drop`, which no key can stand for where the name itself is spoiled


class Cache(Protocol):
    """Bytes to bytes, memory-mapped, shared by the processes of one machine. Implementations: `LmdbCache`, `testing.InMemoryCache`."""

    def get_many(self, namespace: str, keys: Sequence[bytes]) -> list[bytes | None]: ...

    def put_many(self, namespace: str, items: Iterable[tuple[bytes, bytes]]) -> None: ...

    def delete_many(self, namespace: str, keys: Sequence[bytes]) -> None: ...

    def walk(self) -> Iterator[CacheEntry]:
        """Yield everything it holds, but for what waits to be written."""

    def drop(self, handles: Iterable[bytes]) -> None:
        """Forget entries that a walk met, whatever is wrong with them."""

    def stats(self) -> DiskCacheStats:
        """What it holds, and how it served since it was opened."""

    def close(self) -> None: ...


class Embedder(Protocol):
    """Text to unit vectors. Implementations: `OnnxEmbedder`, `HttpEmbedder` (OpenAI, Mistral), `CachedEmbedder`, `testing.HashEmbedder`."""

    @property
    def space(self) -> str:
        """`provider:model:dimension`."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str], *, role: str = "document") -> "np.ndarray":
        """Return float32 unit vectors, shape (n, dimension). Blocking; call it from a thread. Roles: document, query.

        Raises ModelUnavailable, ProviderUnavailable.
        """


class VectorIndex(Protocol):
    """Nearest rows by cosine; a key (an episode's `seq`) may own several. Implementations: `SignBitIndex`, and the plain product as oracle.

    Not safe for concurrent use: `Views` has the lock.
    """

    def __len__(self) -> int:
        """How many rows there are."""

    def __contains__(self, key: int) -> bool: ...

    def add(self, keys: Sequence[int], codes: "np.ndarray", scales: "np.ndarray") -> None:
        """Append unit vectors as int8 rows (n, d) with float32 scales (n,): vector = codes * scale."""

    def remove(self, keys: Sequence[int]) -> None:
        """Forget all rows of the keys; unknown keys are ignored."""

    def search(self, vector: "np.ndarray", k: int, allowed: "np.ndarray | None" = None) -> "tuple[np.ndarray, np.ndarray]":
        """Return (keys, similarities) of the k best distinct keys, best first. `allowed`: sorted keys to restrict to."""

    def similarities(self, vector: "np.ndarray", keys: Sequence[int]) -> "np.ndarray":
        """Return each key's similarity to *vector* (of its best row), float32; NaN for a key that has no row."""

    def rows(self, keys: Sequence[int]) -> "np.ndarray":
        """Return the vectors of the keys, float32 (n, d): each key's first row, zeros where it has none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What completion makes of an episode."""

    reward: Reward
    reflection: Reflection
    key_steps: tuple[int, ...]  # indexes of the steps that mattered, at most three


@dataclass(frozen=True, slots=True)
class Extraction:
    """One episode's evidence, and what its trace keeps for the learner."""

    observations: tuple[Observation, ...]
    errors: tuple[tuple[int, str], ...]  # (step index, error signature)
    digest: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Situation:
    """Where an agent stands: the open episode's task, context and steps so far, and the episodes like it."""

    episode: Episode  # open, with its steps
    neighbours: Neighbours
