"""What every verb works with: the store, the three engines, and the follower that keeps their in-memory views current.

The engines' views are caches of the store; `catch_up` follows the change feed, so the commits of other processes on the same
file are seen before anything is answered from memory.
"""

import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio.to_thread

from mcp_memory.config import Config
from mcp_memory.domain.query import Change, ChangeKind, Query
from mcp_memory.domain.votes import VoteBook, net_vote
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, LearningEngine, Neighbours, RetrievalEngine, Store

if TYPE_CHECKING:
    import numpy as np

S = TypeVar("S")
T = TypeVar("T")
NEIGHBOURS = 200  # episodes that advice and outlook may rest on
MAX_BESIDE = 4  # threads for work beside an embedding; most of it takes turns at the views anyway
_PAGE = 5_000  # traces or vectors read at once: a few tens of megabytes


class Embedding(Protocol):
    """The embedding service as the verbs use it. Implementation: `embedding.service.EmbeddingService`."""

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces documents are embedded in: the local one first, then the provider's; empty when embedding is off."""

    def embed_query(self, text: str, *, wait_ms: int) -> "tuple[dict[str, np.ndarray], tuple[str, ...]]":
        """Return the unit vector per space that answered within the wait for the model, and the lesser states met."""

    def embed_documents(self, texts: Sequence[str], space: str) -> "np.ndarray":
        """Return unit vectors (n, d). Raises ModelUnavailable, ProviderUnavailable."""

    def status(self) -> Mapping[str, Any]: ...

    def check(self) -> list[str]:
        """What is wrong with the local model's files; empty when sound or off."""


class Follower:
    """Keeps the engines' in-memory views equal to the store. All access to the views happens under `lock`."""

    def __init__(self, store: Store, retrieval: RetrievalEngine, learning: LearningEngine, spaces: Callable[[], tuple[str, ...]]) -> None:
        self.lock = threading.RLock()
        self._store, self._retrieval, self._learning, self._spaces = store, retrieval, learning, spaces
        self._seq = 0
        self._votes = VoteBook()
        self._feedback_rowid = 0
        self._vector_rowids: dict[str, int] = {}
        self._loaded = threading.Event()

    @property
    def seq(self) -> int:
        """The change sequence the views are at."""
        return self._seq

    def load(self) -> None:
        """Fill the views from the store, a page at a time, so that a recall can get in between. Call once, from a thread."""
        seq = self._store.change_seq()
        after_seq = 0
        while traces := self._store.traces(after_seq=after_seq, limit=_PAGE):
            with self.lock:
                self._add(traces)
            after_seq = traces[-1].seq
        with self.lock:
            for space in self._spaces():
                self._read_vectors(space)
            self._read_votes()
            self._seq = seq
        self._loaded.set()

    def wait_loaded(self, timeout_ms: int) -> bool:
        """Wait until `load` has finished; False when it has not within the time."""
        return self._loaded.wait(timeout_ms / 1000)

    def catch_up(self) -> None:
        """Apply every change committed since the last look, by any process. Microseconds when there is none."""
        if self._store.change_seq() == self._seq or not self._loaded.is_set():
            return
        with self.lock:
            while changes := self._store.changes_after(self._seq):
                self._apply(changes)
                self._seq = changes[-1].seq

    def _apply(self, changes: Sequence[Change]) -> None:
        ids: dict[str, list[str]] = {}
        for change in changes:
            ids.setdefault(change.kind, []).append(change.entity_id)
        updated = ids.get(ChangeKind.EPISODE_UPDATED, [])
        self._remove(ids.get(ChangeKind.EPISODE_DELETED, []) + updated)
        if wanted := ids.get(ChangeKind.EPISODE_COMPLETED, []) + updated:
            self._add(self._store.traces(ids=list(dict.fromkeys(wanted)), limit=len(wanted)))
        if updated:
            self._vector_rowids.clear()
        if updated or ChangeKind.VECTORS_ADDED in ids:
            for space in self._spaces():
                self._read_vectors(space)
        if ChangeKind.FEEDBACK in ids:
            self._read_votes()

    def _add(self, traces: Sequence[Any]) -> None:
        self._retrieval.add(traces)
        self._learning.add(traces)

    def _remove(self, ids: Sequence[str]) -> None:
        if ids:
            self._retrieval.remove(ids)
            self._learning.remove(ids)

    def _read_vectors(self, space: str) -> None:
        rowid = self._vector_rowids.get(space, 0)
        while True:
            rows, rowid = self._store.vectors(space, after_rowid=rowid, limit=_PAGE)
            if not rows:
                break
            self._retrieval.add_vectors(space, rows)
            self._vector_rowids[space] = rowid

    def _read_votes(self) -> None:
        rows, self._feedback_rowid = self._store.feedback(after_rowid=self._feedback_rowid)
        if rows:
            self._votes.add(rows)
            stats = self._votes.stats()
            self._retrieval.set_votes({key: net_vote(s) for key, s in stats.items()})
            self._learning.set_votes(stats)


@dataclass(slots=True)
class Engines:
    """The parts every verb works with, built by `bootstrap.open_memory`."""

    config: Config
    store: Store
    retrieval: RetrievalEngine
    learning: LearningEngine
    embedding: Embedding
    metrics: Metrics
    clock: Clock
    new_id: Callable[[], str]
    start_soon: Callable[[Callable[..., Coroutine[Any, Any, None]]], object]  # runs a coroutine function in the memory's task group
    follower: Follower = field(init=False)
    _beside: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._beside = ThreadPoolExecutor(MAX_BESIDE, thread_name_prefix="beside")
        self.follower = Follower(self.store, self.retrieval, self.learning, lambda: self.embedding.spaces)

    def close(self) -> None:
        """End the threads; searches under way are waited for."""
        self._beside.shutdown()

    @property
    def project(self) -> str:
        return self.config.project

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run blocking *work* off the event loop. A caller that goes away does not wait for it."""
        return await anyio.to_thread.run_sync(work, *args, abandon_on_cancel=True)

    def in_parts(self, items: Sequence[S], at_once: int, work: Callable[[Sequence[S]], Sequence[T]]) -> list[T]:
        """Return what *work* makes of the items under the follower's lock, a part at a time, so that nobody waits long for the views."""
        done: list[T] = []
        for start in range(0, len(items), at_once):
            with self.follower.lock:
                done += work(items[start : start + at_once])
        return done

    def current(self) -> tuple[str, ...]:
        """Bring the views up to date (blocking) and return the lesser states met."""
        if not self.follower.wait_loaded(self.config.embedding.ready_wait_ms):
            return ("the index is still loading: older episodes may be missing from this answer",)
        self.follower.catch_up()
        return ()

    def embed_query(self, text: str) -> "tuple[dict[str, np.ndarray], tuple[str, ...]]":
        """Return the query's vectors per space and the lesser states met (blocking).

        The parts of a request of several sentences are embedded too, but only locally: a provider is asked once a query.
        """
        vectors, lesser = self.embedding.embed_query(text, wait_ms=self.config.embedding.ready_wait_ms)
        parts = self.retrieval.query_texts(text)[1:]
        local = self.embedding.spaces[0] if self.embedding.spaces else ""
        if parts and local in vectors:
            vectors[local] = self.embedding.embed_documents([text, *parts], local)  # the text's own vector is in the cache by now
        return vectors, lesser

    def embed_beside_search(self, query: Query) -> "tuple[dict[str, np.ndarray], tuple[str, ...]]":
        """As `embed_query`, while another thread does the lexical search of the ranking that follows (blocking).

        Model and database both release the GIL, so on two cores the shorter of the two costs nothing.
        """
        ahead = self.beside(lambda: self._look_up(query))
        try:
            return self.embed_query(query.text)
        finally:
            ahead.result()

    def beside(self, work: Callable[[], T]) -> Future[T]:
        """Run *work* in another thread while this one embeds. It may wait for the follower's lock only if this one does not hold it."""
        return self._beside.submit(work)

    def _look_up(self, query: Query) -> None:
        with self.follower.lock:
            self.retrieval.look_up(query)

    def neighbours(self, query: Query, limit: int = NEIGHBOURS) -> tuple[Neighbours, tuple[str, ...]]:
        """Return up to *limit* episodes whose tasks are most like the query's, with their similarities (blocking)."""
        degraded = self.current()
        vectors, lesser = self.embedding.embed_query(query.text, wait_ms=self.config.embedding.ready_wait_ms)
        with self.follower.lock:
            return self.retrieval.similar(query, vectors, limit), distinct(degraded, lesser)


def distinct(*groups: Sequence[str]) -> tuple[str, ...]:
    """Return all strings of the groups once, in order."""
    return tuple(dict.fromkeys(s for group in groups for s in group))
