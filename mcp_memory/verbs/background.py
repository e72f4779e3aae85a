"""The work after the commit: loading the views at start-up, and embedding completed episodes.

The table is the queue: an episode without a vector is waiting. The doorbell only wakes the worker early, so nothing is lost when
the process dies; the next one on the same file goes on.
"""

import asyncio
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import anyio
import anyio.abc

from mcp_memory.domain.episode import Episode, EpisodeState
from mcp_memory.domain.query import ANY_PROJECT, Filter, Page, Sort
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import VectorRow
from mcp_memory.verbs.engines import AFTER_ANSWER_S, Engines
from mcp_memory.verbs.reindexing import Reindexing

BATCH_EPISODES = 16  # embedded and committed together: what a crash would have to embed again
HOUR_MS = 3_600_000
ABANDON_PAGE = 200
AHEAD_NICENESS = 10  # of the thread that embeds ahead; calls come first
MAX_AHEAD = 32  # episodes; an older one is embedded at its completion
FINISH_S = 0.5  # at closing; the table is the queue, so what is left is embedded at the next start
RETRY_S = 30.0  # after a failure, unless the bell rings
Quantise = Callable[..., tuple[list[float], list[bytes]]]
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _State:
    idle: anyio.Event
    waiting: int = 0


class Background:
    """One worker per memory, run in its task group by `bootstrap.open_memory`."""

    def __init__(self, engines: Engines, quantise: Quantise) -> None:
        self._e, self._quantise, self._reindexing = engines, quantise, Reindexing(engines)
        self._bell = anyio.Event()
        self._state = _State(anyio.Event())
        self._rung, self._rings, self._answered = True, 0, 0
        self._turn = anyio.Event()  # set where the worker got further
        self._ahead: deque[str] = deque(maxlen=MAX_AHEAD)
        self._ahead_bell = anyio.Event()

    def ring(self) -> None:
        """Say that there may be work, which is begun a moment later, after the answer. Call from the event loop."""
        self._rung = True
        self._rings += 1
        if self._state.idle.is_set():
            self._state.idle = anyio.Event()
        asyncio.get_running_loop().call_later(AFTER_ANSWER_S, self._begin)

    def _begin(self) -> None:
        self._bell.set()

    async def finish(self) -> None:
        """Give what this process completed a moment to be embedded, so that whoever opens the memory next finds it by meaning at once."""
        if self._rings and not self._state.idle.is_set():
            self._begin()
            with anyio.move_on_after(FINISH_S, shield=True):
                await self._state.idle.wait()

    async def own_embedded(self) -> None:
        """Wait for the vectors of what this process completed until now, as long as for the model: who completed it finds it by meaning.

        Not while more waits than a batch: an import, or another process's work, is found by its words meanwhile.
        """
        rings = self._rings
        if self._answered < rings:
            self._begin()
            with anyio.move_on_after(self._e.config.embedding.ready_wait_ms / 1000):
                while self._answered < rings and self._state.waiting <= BATCH_EPISODES:
                    await self._turn.wait()

    def embed_ahead(self, episode_id: str) -> None:
        """Embed the task of an open episode with what the processor has to spare, so that its completion finds the vector."""
        self._ahead.append(episode_id)
        self._ahead_bell.set()

    async def run_ahead(self) -> None:
        """Embed tasks ahead, first come, first served, until cancelled."""
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="embed-ahead", initializer=yield_to_others) as thread:
            while True:
                await self._ahead_bell.wait()
                episode_id = self._ahead.popleft()
                if not self._ahead:
                    self._ahead_bell = anyio.Event()
                await loop.run_in_executor(thread, self._embed_task, episode_id)

    def _embed_task(self, episode_id: str) -> None:
        try:
            found = self._e.store.get_episodes([episode_id], steps=False)[0]
        except McpMemoryError as error:  # nobody waits for it, and the completion embeds what it needs
            logger.warning("embedding ahead: %s", error.line())
            return
        if found is not None and found.state is EpisodeState.OPEN:
            self._e.embedding.embed_query(found.task, wait_ms=0)

    async def settle(self, progress: Callable[[int], None] | None = None) -> None:
        """Wait until nothing waits, or the embedding has failed (then `memory_status` says why)."""
        self.ring()
        self._begin()
        while not self._state.idle.is_set():
            with anyio.move_on_after(0.2 if progress else None):
                await self._state.idle.wait()
            if progress:
                progress(self._state.waiting)

    async def run(self) -> None:
        """Load the views, then embed whatever waits and index again what an earlier version indexed, until cancelled."""
        await self._abandon_stale()
        await anyio.to_thread.run_sync(self._e.views.load, abandon_on_cancel=True)
        while True:
            self._rung, rings = False, self._rings
            failed = not await self._drain()
            self._answered = rings
            self._look_again()
            while not self._rung and await self._reindexing.some():  # what is new goes first
                pass
            if not self._rung:
                self._state.idle.set()
                self._bell = anyio.Event()
                with anyio.move_on_after(RETRY_S if failed else None):
                    await self._bell.wait()

    def _look_again(self) -> None:
        """Let those who wait for vectors see how far the worker is."""
        self._turn.set()
        self._turn = anyio.Event()

    async def _abandon_stale(self) -> None:
        """Mark open episodes that nobody will complete any more, when `learning.abandon_after_hours` is set."""
        hours = self._e.config.learning.abandon_after_hours
        if hours <= 0:
            return
        now_ms = self._e.clock()
        where = Filter(project=ANY_PROJECT, state=EpisodeState.OPEN, until_ms=now_ms - int(hours * HOUR_MS))
        abandoned = ABANDON_PAGE
        while abandoned == ABANDON_PAGE:
            page = await self._e.in_thread(self._oldest, where)
            abandoned = await self._e.store.abandon_episodes(page.ids, now_ms) if page.ids else 0

    def _oldest(self, where: Filter) -> Page:
        return self._e.store.list_episodes(where, sort=Sort.OLDEST, limit=ABANDON_PAGE, cursor=None)

    async def _drain(self) -> bool:
        """Embed what waits in every space; False when a space failed."""
        await self._e.in_thread(self._e.views.catch_up)
        fine = True
        for space in self._e.embedding.spaces:
            try:
                while await self._embed_some(space):
                    pass
            except McpMemoryError as error:
                logger.warning("embedding %s: %s", space, error.line())
                fine = False
        return fine

    async def _embed_some(self, space: str) -> bool:
        e = self._e
        ids = await e.in_thread(lambda: e.store.missing_vectors(space, BATCH_EPISODES * 64))
        self._state.waiting = len(ids)
        self._look_again()
        for start in range(0, len(ids), BATCH_EPISODES):
            batch = ids[start : start + BATCH_EPISODES]
            with e.metrics.timed("embed_batch"):
                rows = await e.in_thread(self._rows, space, batch)
            await e.store.put_vectors(space, rows)
            self._state.waiting = len(ids) - start - len(batch)
        return bool(ids)

    def _rows(self, space: str, ids: list[str]) -> list[VectorRow]:
        episodes: list[Episode] = [x for x in self._e.store.get_episodes(ids) if x is not None]
        texts = [(episode, part, text) for episode in episodes for part, text in enumerate(self._e.retrieval.embedding_texts(episode))]
        vectors = self._e.embedding.embed_documents([text for _, _, text in texts], space)
        scales, codes = self._quantise(vectors)
        return [VectorRow(0, episode.id, part, s, c) for (episode, part, _), s, c in zip(texts, scales, codes, strict=True)]


def yield_to_others() -> None:
    """Give this thread the lower priority of work nobody waits for. Linux only: elsewhere it would slow the whole process."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), AHEAD_NICENESS)
