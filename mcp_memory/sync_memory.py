"""`open_memory_sync()`: the memory for programs without an event loop. The same methods with the same arguments; each waits for its answer.

The memory runs on an event loop in a thread of its own; every signature here is made from the facade's, so the two cannot differ.

>>> import tempfile
>>> from mcp_memory import load_config
>>> folder = tempfile.TemporaryDirectory()
>>> config = load_config(env={}, flags={"storage.data_dir": folder.name, "embedding.provider": "off"})
>>> with open_memory_sync(config) as memory:
...     begun = memory.start_episode("Make the date parser accept week numbers")
...     logged = memory.log_step(begun.episode_id, "shell", arguments={"command": "pytest"}, error="ValueError: week 53")
...     ended = memory.complete_episode(begun.episode_id, "success", lessons=["a year may have 53 weeks"])
...     found = memory.recall("parser for dates with weeks").episodes[0]
>>> logged.last_index, ended.step_count, found.lessons
(0, 1, ('a year may have 53 weeks',))
>>> folder.cleanup()
"""

import functools
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from anyio.from_thread import BlockingPortal, start_blocking_portal

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.domain import requests
from mcp_memory.domain.callers import NOBODY, Caller
from mcp_memory.errors import StoreUnavailable
from mcp_memory.memory import EpisodicMemory
from mcp_memory.metrics import Metrics
from mcp_memory.verbs.asked import Ask

P = ParamSpec("P")
Q = TypeVar("Q", bound=requests.Request)
Q_contra = TypeVar("Q_contra", bound=requests.Request, contravariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class AskAndWait(Protocol[P, Q_contra, R_co]):
    """A bound method of the synchronous memory."""

    @overload
    def __call__(self, asked: Q_contra, /) -> R_co: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...
    def __call__(self, *args: Any, **kwargs: Any) -> R_co: ...


class WaitingVerb(Generic[P, Q, R]):
    """A method of the synchronous memory as type checkers see it; at run time it is a plain function."""

    def __get__(self, memory: object, owner: type | None = None) -> AskAndWait[P, Q, R]:
        raise NotImplementedError


def _asks(verb: Ask[P, Q, R]) -> WaitingVerb[P, Q, R]:
    """Return a verb of the facade as a method that waits for its answer."""
    return cast(WaitingVerb[P, Q, R], _waits(cast(Callable[..., Coroutine[Any, Any, R]], verb)))


def _waits(
    method: Callable[Concatenate[EpisodicMemory, P], Coroutine[Any, Any, R]],
) -> "Callable[Concatenate[SyncMemory, P], R]":
    """Return another method of the facade as one that waits for its answer."""

    @functools.wraps(method)
    def call(memory: "SyncMemory", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return memory._call(functools.partial(method, memory._memory, *args, **kwargs))

    return call


class SyncMemory:
    """A memory that is open, for callers without an event loop. What each method does, and what it raises, is said in `EpisodicMemory`.

    May be called from any number of threads; the calls wait for their own answers only. After the block that opened it, every call
    raises StoreUnavailable. A call that is interrupted (Ctrl-C) still happens.
    """

    def __init__(self, memory: EpisodicMemory, portal: BlockingPortal) -> None:
        self._memory, self._portal, self._is_open = memory, portal, True

    def run(self, work: Callable[[EpisodicMemory], Coroutine[Any, Any, R]]) -> R:
        """Return what *work* returns, run in the memory's own event loop: it may await the memory there."""
        return self._call(functools.partial(work, self._memory))

    def _call(self, asked: Callable[[], Coroutine[Any, Any, R]]) -> R:
        if not self._is_open:
            raise StoreUnavailable("the memory is closed", hint="Call it inside the block that `open_memory_sync` began.")
        answer: R = self._portal.call(asked)
        return answer

    @property
    def metrics(self) -> Metrics:
        """Counters and timings of this process."""
        return self._memory.metrics

    @property
    def config(self) -> Config:
        """The settings it was opened with."""
        return self._memory.config

    @property
    def project(self) -> str:
        """The namespace used when a call names none."""
        return self._memory.project

    @property
    def is_large(self) -> bool:
        """As `EpisodicMemory.is_large`."""
        return self._memory.is_large

    @property
    def has_control_group(self) -> bool:
        """Whether a share of the episodes gets no advice, so that its worth can be measured."""
        return self._memory.has_control_group

    def working_in(self, project: str, caller: Caller = NOBODY) -> AbstractContextManager[None]:
        """While the block runs, calls of this thread that name no project mean this one."""
        return self._memory.working_in(project, caller)

    def on_completed(self, watcher: Callable[[str], None]) -> None:
        """Call *watcher* with the episode's id after every completion, in the memory's thread: it must not block, nor call the memory."""
        self._memory.on_completed(watcher)

    # --- recording ---
    start_episode = _asks(EpisodicMemory.start_episode)
    prepare_episode = _asks(EpisodicMemory.prepare_episode)
    log_step = _asks(EpisodicMemory.log_step)
    log_steps = _asks(EpisodicMemory.log_steps)
    complete_episode = _asks(EpisodicMemory.complete_episode)

    # --- recalling, advising ---
    recall = _asks(EpisodicMemory.recall)
    search_episodes = _asks(EpisodicMemory.search_episodes)
    get_episode = _asks(EpisodicMemory.get_episode)
    suggest_next_step = _asks(EpisodicMemory.suggest_next_step)
    recommend_playbook = _asks(EpisodicMemory.recommend_playbook)
    give_feedback = _asks(EpisodicMemory.give_feedback)

    # --- patterns and reports ---
    search_patterns = _asks(EpisodicMemory.search_patterns)
    get_pattern = _asks(EpisodicMemory.get_pattern)
    told_patterns = _asks(EpisodicMemory.told_patterns)
    analyze_trends = _asks(EpisodicMemory.analyze_trends)
    compare_attempts = _asks(EpisodicMemory.compare_attempts)
    mark_steps = _asks(EpisodicMemory.mark_steps)
    forked_tasks = _asks(EpisodicMemory.forked_tasks)
    recent_activity = _asks(EpisodicMemory.recent_activity)
    map_tasks = _asks(EpisodicMemory.map_tasks)
    worked_files = _asks(EpisodicMemory.worked_files)
    memory_status = _asks(EpisodicMemory.memory_status)
    lessons_markdown = _asks(EpisodicMemory.lessons_markdown)
    project_digest = _asks(EpisodicMemory.project_digest)

    # --- curating ---
    update_episode = _asks(EpisodicMemory.update_episode)
    link_episodes = _asks(EpisodicMemory.link_episodes)
    related_episodes = _asks(EpisodicMemory.related_episodes)
    checkpoint_episode = _asks(EpisodicMemory.checkpoint_episode)
    resume_episode = _asks(EpisodicMemory.resume_episode)
    forget = _asks(EpisodicMemory.forget)
    correct = _asks(EpisodicMemory.correct)
    quarantine = _asks(EpisodicMemory.quarantine)
    label = _asks(EpisodicMemory.label)
    prune = _asks(EpisodicMemory.prune)

    # --- the memory as a whole ---
    quarantines = _waits(EpisodicMemory.quarantines)
    short_ids = _waits(EpisodicMemory.short_ids)
    doctor = _waits(EpisodicMemory.doctor)
    sync = _waits(EpisodicMemory.sync)
    probe_remotes = _waits(EpisodicMemory.probe_remotes)
    share_no_more = _waits(EpisodicMemory.share_no_more)
    backup = _waits(EpisodicMemory.backup)
    derive = _waits(EpisodicMemory.derive)
    compact = _waits(EpisodicMemory.compact)
    distinct = _waits(EpisodicMemory.distinct)
    import_lines = _waits(EpisodicMemory.import_lines)
    settle = _waits(EpisodicMemory.settle)

    def export_lines(self, asked: requests.WhereFields | None = None) -> Iterator[str]:
        """Yield interchange lines, as `EpisodicMemory.export_lines` does."""
        return self._each(cast(AsyncGenerator[str, None], self._memory.export_lines(asked)))

    def episode_lines(self, ids: Sequence[str]) -> Iterator[str]:
        """Yield the interchange lines of these episodes alone, as `EpisodicMemory.episode_lines` does."""
        return self._each(cast(AsyncGenerator[str, None], self._memory.episode_lines(ids)))

    def _each(self, lines: AsyncGenerator[str, None]) -> Iterator[str]:
        async def following() -> str | None:
            return await anext(lines, None)

        try:
            while (line := self._call(following)) is not None:
                yield line
        finally:
            if self._is_open:
                self._call(lines.aclose)


@contextmanager
def open_memory_sync(config: Config | None = None) -> Iterator[SyncMemory]:
    """Open the memory as `open_memory` does, in a thread of its own, and close it when the block ends.

    A call costs a change of threads and back, some 0.1 ms, beside what it asks.

    Args:
        config: The settings; None means `load_config()`.

    Raises:
        MigrationError, CorruptRecord, StoreUnavailable: As `open_memory`.
    """
    with (
        start_blocking_portal(backend_options={"debug": False}, name="memory") as portal,
        portal.wrap_async_context_manager(open_memory(config)) as memory,
    ):
        opened = SyncMemory(memory, portal)
        try:
            yield opened
        finally:
            opened._is_open = False
