"""All the logs that one memory is shared through: who keeps it in step, how it stands, and waiting for it.

Of the processes on one data directory one does it at a time, whoever holds the lock file; the others hear of what came through the change
feed. What they write is sent by that one, which looks at the outbox four times a second.
"""

import logging
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from mcp_memory.domain.status import RemoteStatus, Replication
from mcp_memory.errors import McpMemoryError, RemoteRefused, StoreUnavailable
from mcp_memory.file_locks import hold_lock
from mcp_memory.metrics import Gauge, Metrics
from mcp_memory.ports import Clock, Replica, SharedLog
from mcp_memory.replication import probing
from mcp_memory.replication.pacing import SHORTEST_S, pause_s
from mcp_memory.replication.replicator import Replicator, Turn
from mcp_memory.replication.worker_thread import WorkerThread

LOCK_FILE = "sharing.lock"
FIRST_TURN_S = 1.0  # after opening: a command that is over sooner never goes to the network
LOCK_EVERY_S = 2.0  # a process that does not hold the lock asks for it
FINISH_S = 1.0  # at closing, for what was just committed
ACKNOWLEDGE_S = 2.0  # how long a write waits for a log, where that was asked for
ACKNOWLEDGE_POLL_S = 0.02
CLAIM_S = 5.0  # how long `resume_episode` waits for an episode of another machine
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SharedThrough:
    """One log with what keeps the memory in step with it."""

    replicator: Replicator
    log: SharedLog
    thread: WorkerThread
    waits: bool = False  # a write waits until this log has it


class Sharing:
    """Runs in the memory's task group. Without a log every method is cheap and does nothing."""

    def __init__(self, store: Replica, folder: Path, logs: Sequence[SharedThrough], clock: Clock, metrics: Metrics) -> None:
        self._store, self._folder, self._logs, self._clock, self._metrics = store, folder, logs, clock, metrics
        self._lock_fd: int | None = None
        self._last: dict[str, Turn] = {}
        self._bell = anyio.Event()
        self._one_turn = anyio.Lock()  # `sync` and `finish` take turns beside `run`
        metrics.offer(self._gauges)

    async def run(self) -> None:
        """Keep the memory in step until cancelled."""
        if not self._logs:
            return
        with anyio.move_on_after(FIRST_TURN_S):
            await self._bell.wait()
        while not self._holds():  # noqa: ASYNC110 - another process lets it go, and nobody tells
            await anyio.sleep(LOCK_EVERY_S)
        async with anyio.create_task_group() as each:
            for log in self._logs:
                each.start_soon(self._keep, log.replicator)

    async def _keep(self, replicator: Replicator) -> None:
        failures, news_s = 0, time.monotonic()
        while True:
            turn = await self._turn(replicator)
            failures = failures + 1 if turn.error else 0
            if turn.was_news:
                news_s = time.monotonic()
            if not turn.more:
                await self._pause(replicator, pause_s(time.monotonic() - news_s, failures, random.random()), watch=not failures)

    async def _turn(self, replicator: Replicator) -> Turn:
        async with self._one_turn:
            turn = self._last[replicator.url] = await replicator.turn()
        self._metrics.count("shared_rows_sent", turn.sent)
        self._metrics.count("shared_facts_applied", turn.applied)
        self._metrics.count("sharing_errors", turn.error is not None)
        return turn

    async def _pause(self, replicator: Replicator, wait_s: float, *, watch: bool) -> None:
        """Wait; with *watch*, only until there is something to send."""
        until = time.monotonic() + wait_s
        while (left_s := until - time.monotonic()) > 0:
            self._bell = anyio.Event()
            with anyio.move_on_after(min(left_s, SHORTEST_S)):
                await self._bell.wait()
            if watch and (self._bell.is_set() or self._has_news(replicator)):
                return

    def _has_news(self, replicator: Replicator) -> bool:
        try:
            return self._store.has_outgoing(replicator.url)
        except McpMemoryError:  # the turn that follows says why
            return True

    def _holds(self) -> bool:
        """Whether this process is the one of the directory, which it is from then on."""
        if self._lock_fd is None:
            self._lock_fd = hold_lock(self._folder / LOCK_FILE)
        return self._lock_fd is not None

    async def sync(self, *, full: bool = False, wait_s: float = 0.0) -> Replication:
        """Bring the memory into step with every log, or as far as that goes; return how it stands then.

        Where another process of the directory does it, only wait for it. *full*: read every log from its beginning and tell it everything.

        Raises:
            StoreUnavailable: *full*, and another process keeps the memory in step.
        """
        if not self._holds():
            if full:
                raise StoreUnavailable("another process keeps this memory in step", hint="Stop it, and try again.")
            await self._wait_in_step(wait_s)
            return self.status()
        for log in self._logs:
            if full:
                await self._store.read_again(log.replicator.url, "", went_back=False)
                log.replicator.behind()
            turn = await self._turn(log.replicator)
            while turn.was_news and turn.error is None:
                turn = await self._turn(log.replicator)
        return self.status()

    async def _wait_in_step(self, wait_s: float) -> None:
        target, until = self._store.newest_outgoing(), time.monotonic() + wait_s
        while time.monotonic() < until:
            states = [self._store.remote_state(log.replicator.url) for log in self._logs]
            if all(state.done_up_to >= target for state in states):
                return
            await anyio.sleep(SHORTEST_S)  # another process does it, and nobody tells

    async def probe(self, name: str) -> list[tuple[str, bool, str]]:
        """Return (check, fine, detail) rows of what each log can do. *name*: one that was never used."""
        rows: list[tuple[str, bool, str]] = []
        for log in self._logs:
            checks = await log.thread.run(partial(probing.probe, log.log, name))
            rows += [(f"{log.replicator.url}: {what}", fine, detail) for what, fine, detail in checks]
        return rows

    async def share_no_more(self, url: str) -> bool:
        """Forget a log and what waits for it; return whether it was known."""
        return await self._store.share_no_more(url)

    def is_away(self, episode_id: str) -> bool:
        """Whether the steps of an open episode are numbered by another machine."""
        return self._store.is_away(episode_id)

    async def claim(self, episode_id: str) -> bool:
        """Take over an open episode that another machine numbers; return whether its steps are numbered here now.

        Asks the logs, after everything they have was read, and waits some seconds for the answer; where none can be reached it is not.
        """
        with anyio.move_on_after(CLAIM_S):
            await self.sync(wait_s=CLAIM_S)
            if self.degraded():
                return False
            await self._store.ask_claim(episode_id, self._clock())
            self._bell.set()
            while self._store.is_away(episode_id) and self._store.is_asked(episode_id):
                await self.sync(wait_s=CLAIM_S)
                await anyio.sleep(ACKNOWLEDGE_POLL_S)  # the process that shares may be another one
        with anyio.CancelScope(shield=True):
            await self._store.withdraw_claim(episode_id)
        return not self._store.is_away(episode_id)

    async def wait_acknowledged(self) -> tuple[str, ...]:
        """Wait, as long as is bearable, until the logs that are to be waited for have what was committed by now; return what to say."""
        waited_for = [log.replicator.url for log in self._logs if log.waits]
        if not waited_for:
            return ()
        target, until = self._store.newest_outgoing(), time.monotonic() + ACKNOWLEDGE_S
        self._bell.set()
        while missing := [url for url in waited_for if self._store.remote_state(url).done_up_to < target]:
            if time.monotonic() >= until:
                return tuple(f"stored here, not shared with {url} yet" for url in missing)
            await anyio.sleep(ACKNOWLEDGE_POLL_S)  # the process that shares may be another one
        return ()

    async def finish(self) -> None:
        """Send what was just committed, where that can be done in a moment."""
        if self._lock_fd is not None:
            with anyio.move_on_after(FINISH_S, shield=True):
                for log in self._logs:
                    last = self._last.get(log.replicator.url)
                    while last is not None and last.error is None and self._has_news(log.replicator):
                        last = await self._turn(log.replicator)

    def close(self) -> None:
        """Let the lock and the threads go."""
        for log in self._logs:
            log.thread.close(log.log.close)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    def status(self) -> Replication:
        """Return how the memory stands with its logs."""
        known = tuple(self._state(url) for url in self._store.shared_with())
        if not known:
            return Replication()
        worst = max(known, key=lambda each: (_BADNESS.index(each.state), each.lag_ms or 0))
        return Replication(worst.state, worst.lag_ms, max(each.pending for each in known), worst.last_error or None, known)

    def _state(self, url: str) -> RemoteStatus:
        found, last = self._store.remote_state(url), self._last.get(url)
        if url not in {log.replicator.url for log in self._logs}:
            state = "not configured here"
        elif found.last_error:
            state = "refused" if found.last_error.startswith(RemoteRefused.code) else "unreachable"
        elif found.pending or (last is not None and last.was_news) or found.in_step_at_ms is None:
            state = "behind"
        else:
            state = "in step"
        since_ms = None if found.in_step_at_ms is None else max(0, self._clock() - found.in_step_at_ms)
        lag_ms = 0 if state == "in step" else since_ms
        return RemoteStatus(url, state, lag_ms, found.pending, found.last_error, found.in_step_at_ms, found.resyncs)

    def _gauges(self) -> list[Gauge]:
        """Return how every log stands, nothing where the store cannot say."""
        try:
            states = [self._state(url) for url in self._store.shared_with()]
        except McpMemoryError as error:
            logger.info("the state of the shared logs: %s", error.line())
            return []
        found: list[Gauge] = []
        for each in states:
            in_step_s = None if each.in_step_at_ms is None else each.in_step_at_ms / 1000
            values = (each.pending, None if each.lag_ms is None else each.lag_ms / 1000, in_step_s, each.state in ("in step", "behind"))
            found += [Gauge(*about, "remote", each.url, float(x)) for about, x in zip(_GAUGES, values, strict=True) if x is not None]
        return found

    def degraded(self) -> tuple[str, ...]:
        """Return what may be missing from an answer because a log cannot be reached."""
        states = [self._state(log.replicator.url) for log in self._logs]
        return tuple(
            f"the shared log {each.url} is {each.state}: what other machines told lately may be missing"
            for each in states
            if each.state in ("refused", "unreachable")
        )


_GAUGES = (
    ("shared_log_pending_rows", "What is written here and not in the shared log."),
    ("shared_log_lag_seconds", "Since the memory was in step with the shared log; 0 while it is."),
    ("shared_log_in_step_timestamp_seconds", "When the memory was last in step with the shared log."),
    ("shared_log_reachable", "Whether the shared log answered the last time."),
)
_BADNESS = ("in step", "behind", "not configured here", "unreachable", "refused")
