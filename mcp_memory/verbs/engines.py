"""What every verb works with: the store, the views of it, and the three engines that answer from them."""

from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio.to_thread

from mcp_memory.config import Config
from mcp_memory.domain.answers import Nearest
from mcp_memory.domain.callers import NOBODY, Caller
from mcp_memory.domain.query import ANY_PROJECT, Filter, Query
from mcp_memory.domain.status import CacheStats, EmbeddingStatus
from mcp_memory.domain.text import shorten
from mcp_memory.learning.learner import Learner
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.learning.telling.points import Known, points_of
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Clock, Neighbours, Store
from mcp_memory.replication.sharing import Sharing
from mcp_memory.retrieval.retriever import Retriever
from mcp_memory.verbs.projects import Projects
from mcp_memory.views.view import View, Views

if TYPE_CHECKING:
    import numpy as np

working_in: ContextVar[str] = ContextVar("working_in", default="")  # the project a call comes from, where its caller is known to be in one
calling: ContextVar[Caller] = ContextVar("calling", default=NOBODY)
S = TypeVar("S")
T = TypeVar("T")
NEIGHBOURS = 200  # episodes that advice and outlook may rest on
NEAREST_CHARS = 100  # of a task that is named only to say that it is not close
AFTER_ANSWER_S = 0.005  # when an answer is out: what follows from it would take turns with what writes it until then
MAX_BESIDE = 4  # threads for work beside an embedding; most of it takes turns at the views anyway


class Embedding(Protocol):
    """The embedding service as the verbs use it. Implementation: `embedding.service.EmbeddingService`."""

    @property
    def spaces(self) -> tuple[str, ...]:
        """The spaces documents are embedded in: the local one first, then the provider's; empty when embedding is off."""

    def embed_query(self, text: str, *, wait_ms: int) -> "tuple[dict[str, np.ndarray], tuple[str, ...]]":
        """Return the unit vector per space that answered within the wait for the model, and the lesser states met."""

    def embed_documents(self, texts: Sequence[str], space: str) -> "np.ndarray":
        """Return unit vectors (n, d). Raises ModelUnavailable, ProviderUnavailable."""

    def status(self) -> EmbeddingStatus: ...

    def cache_stats(self) -> CacheStats: ...

    def check(self) -> list[str]:
        """What is wrong with the local model's files; empty when sound or off."""


@dataclass(slots=True)
class Engines:
    """The parts every verb works with, built by `bootstrap.open_memory`."""

    config: Config
    store: Store
    views: Views
    retrieval: Retriever
    learning: Learner
    embedding: Embedding
    metrics: Metrics
    clock: Clock
    new_id: Callable[[], str]
    start_soon: Callable[[Callable[..., Coroutine[Any, Any, None]]], object]  # runs a coroutine function in the memory's task group
    default_project: str
    projects: Projects
    sharing: Sharing | None = None
    _beside: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._beside = ThreadPoolExecutor(MAX_BESIDE, thread_name_prefix="beside")

    def close(self) -> None:
        """End the threads; searches under way are waited for."""
        self._beside.shutdown()

    @property
    def project(self) -> str:
        """The project of a call that names none: the one it comes from, else that of this process, which is no bound caller's."""
        return working_in.get() or next(iter(calling.get().bound), self.default_project)

    def within_bounds(self, where: Filter) -> Filter:
        """Return the conditions of a listing so that a bound caller gets its own projects' alone, whichever they name."""
        return replace(where, projects=calling.get().bound)

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run blocking *work* off the event loop. A caller that goes away does not wait for it."""
        return await anyio.to_thread.run_sync(work, *args, abandon_on_cancel=True)

    def in_parts(self, items: Sequence[S], at_once: int, work: Callable[[View, Sequence[S]], Sequence[T]]) -> list[T]:
        """Return what *work* makes of the items from the views, a part at a time, so that nobody waits long for them."""
        done: list[T] = []
        for start in range(0, len(items), at_once):
            with self.views.read() as v:
                done += work(v, items[start : start + at_once])
        return done

    def current(self) -> tuple[str, ...]:
        """Bring the views up to date (blocking) and return the lesser states met."""
        if not self.views.wait_loaded(self.config.embedding.ready_wait_ms):
            return ("the index is still loading: older episodes may be missing from this answer",)
        self.views.catch_up()
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
        """Run *work* in another thread while this one embeds. It may read the views only if this one does not wait for it while reading."""
        return self._beside.submit(work)

    def _look_up(self, query: Query) -> None:
        with self.views.read() as v:
            self.retrieval.look_up(v, query)

    def neighbours(self, query: Query, limit: int = NEIGHBOURS) -> tuple[Neighbours, tuple[str, ...]]:
        """Return up to *limit* episodes whose tasks are most like the query's, with their similarities (blocking)."""
        near, _, degraded = self.similar(query, limit)
        return near, degraded

    def similar(self, query: Query, limit: int = NEIGHBOURS) -> "tuple[Neighbours, dict[str, np.ndarray], tuple[str, ...]]":
        """As `neighbours`, with the vectors of the query between them, for who goes on to look elsewhere (blocking)."""
        degraded = self.current()
        vectors, lesser = self.embedding.embed_query(query.text, wait_ms=self.config.embedding.ready_wait_ms)
        with self.views.read() as v:
            return self.retrieval.similar(v, query, vectors, limit), vectors, distinct(degraded, lesser)

    def nearest(self, found: tuple[str, float], *, named: bool = False) -> Nearest | None:
        """Return an episode that is not shown (*named*: with its project); None when it was forgotten meanwhile (blocking)."""
        episode = self.store.get_episodes([found[0]], steps=False)[0]
        if episode is None:
            return None
        return Nearest(shorten(episode.task, NEAREST_CHARS), round(found[1], 3), episode.project if named else None)

    def elsewhere(
        self, query: Query, vectors: "dict[str, np.ndarray]", *, is_near: bool, error: str = "", asker: str = ""
    ) -> Nearest | None:
        """Return what another project has: how it got past an *error*, else what is close to the query where nothing here *is_near*.

        None for a caller that is bound to its own (blocking).
        """
        if calling.get().bound or query.filter.project in ("", ANY_PROJECT):
            return None
        if error and (answered := self._answered_elsewhere(error, query.filter.project, asker or calling.get().name)):
            return answered
        if is_near:
            return None
        with self.views.read() as v:
            found = self.retrieval.elsewhere(v, query, vectors)
        return self.nearest(found, named=True) if found else None

    def _answered_elsewhere(self, error: str, project: str, asker: str) -> Nearest | None:
        with self.views.read() as v:
            places, quoted = self.learning.answered_elsewhere(v, error, project, asker)
        if not places:
            return None
        for episode, (_, failed) in zip(self.store.get_episodes([key for key, _ in places]), places, strict=True):
            if episode is not None and _is_about(error, message_of(episode.steps[failed])):
                points = points_of([(episode, 0.0)], error, known=Known(quoted=quoted, met=(episode.id,)))[episode.id]
                if points:
                    return Nearest(shorten(episode.task, NEAREST_CHARS), None, episode.project, points)
        return None


def _is_about(error: str, message: str) -> bool:
    """Return whether an error names what a message quotes, but for paths: `KeyError: 'date'` is not about `'user'`."""
    return all(part in error or "/" in part or "\\" in part for part in quoted_in(message))


def distinct(*groups: Sequence[str]) -> tuple[str, ...]:
    """Return all strings of the groups once, in order."""
    return tuple(dict.fromkeys(s for group in groups for s in group))
