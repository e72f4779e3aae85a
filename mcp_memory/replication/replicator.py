"""Keeps a store in step with one shared log: sends what the outbox names, applies what others told, and notices when the log went back.

A turn does a bounded piece of that; nothing of it holds up a tool call, and a turn that fails is done again. Where the log was restored,
recreated or lost its last commits, it is read from its beginning and told everything that is here: whoever wrote it may be gone.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from functools import partial

from mcp_memory.domain.episode import Episode
from mcp_memory.domain.shared_facts import Fact
from mcp_memory.errors import McpMemoryError
from mcp_memory.ports import Batch, Clock, Completion, LogMark, LogPage, Outgoing, Replica, SharedLog

SEND_ROWS = 400  # of the outbox in one request
SEND_BYTES = 2_000_000  # of bodies, as far as one is not larger
READ_FACTS = 1_000  # of one page
READ_EVERY = 8  # turns, while there is more to send than one request holds
NOTE_EVERY_MS = 60_000  # for other processes to see: a commit each
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn did."""

    sent: int = 0  # rows of the outbox
    applied: int = 0  # facts
    more: bool = False  # to be done at once
    error: McpMemoryError | None = None

    @property
    def was_news(self) -> bool:
        return bool(self.sent or self.applied or self.more)


class Replicator:
    """One store and one log. Used by one task at a time."""

    def __init__(
        self,
        store: Replica,
        log: SharedLog,
        url: str,
        origin: str,
        projects: Collection[str],
        derive: Callable[[Episode], Completion],
        clock: Clock,
        off_loop: Callable[..., Awaitable[object]],
        arrived: Callable[[], None],
    ) -> None:
        """*off_loop* runs a blocking call of the log; *arrived* is called when facts of others were applied."""
        self._store, self._log, self.url, self._origin, self._projects = store, log, url, origin, projects
        self._derive, self._clock, self._arrived = derive, clock, arrived
        self._off_loop = off_loop
        self._upgraded, self._ensured, self._behind = False, False, True
        self._sealed: Outgoing | None = None  # was sent at least once: the very same goes again until there is an answer
        self._turns = 0
        self._noted_at_ms, self._noted_error = 0, ""

    async def turn(self) -> Turn:
        """Send up to a request's worth, read up to a page, and return what was done; an error of the log is in the answer."""
        try:
            done = await self._turn()
        except McpMemoryError as error:
            done = Turn(error=error)
            logger.info("shared log %s: %s", self.url, error.line())
        await self._note(done)
        return done

    def behind(self) -> None:
        """Read at the next turn, whatever the log says of its newest batch."""
        self._behind = True

    async def _turn(self) -> Turn:
        if not self._upgraded:  # an earlier version of the program may have kept what this one understands
            if await self._store.apply_parked(self._derive):
                self._arrived()
            self._upgraded = True
        if not self._ensured:
            await self._off_loop(self._log.ensure)
            self._ensured = True
        mark = self._store.mark(self.url)
        sent, told, more = await self._send()
        self._turns += 1
        if more and self._turns % READ_EVERY:
            return Turn(sent, more=True)
        self._behind = self._behind or told
        if not self._behind and await self._off_loop(self._log.newest_batch) == (mark.batch, mark.nonce):
            return Turn(sent, more=more)
        applied, behind = await self._read()
        return Turn(sent, applied, more or behind)

    async def _send(self) -> tuple[int, bool, bool]:
        """Send the next of the outbox; return how many rows, whether a batch came of it, and whether there is more."""
        out = self._sealed or self._store.outgoing(self.url, self._projects, SEND_ROWS)
        if not out.rows:
            return 0, False, False
        told = bool(out.facts or out.erased)
        if told:
            self._sealed = out
            mark = self._store.mark(self.url)
            for batch in _requests(self._origin, out, mark.acknowledged):
                had_all = await self._off_loop(partial(self._log.append, batch))
            self._sealed = None
            if not had_all:
                await self._begin_again(mark.epoch)
                return 0, True, True
        await self._store.acknowledge(self.url, out.up_to, told=told)
        return out.rows, told, out.more

    async def _read(self) -> tuple[int, bool]:
        """Apply a page of the log; return how many facts, and whether there is more."""
        mark = self._store.mark(self.url)
        page = await self._off_loop(lambda: self._log.read(mark, self._origin, self._projects, READ_FACTS))
        assert isinstance(page, LogPage)
        if self._went_back(mark, page):
            await self._begin_again(page.epoch)
            return 0, True
        self._behind = len(page.facts) == READ_FACTS
        seq = page.facts[-1].seq if self._behind else page.last_seq
        await self._store.apply(self.url, page.facts, LogMark(page.epoch, seq, page.batch, page.nonce), self._derive)
        if any(fact.origin != self._origin for fact in page.facts):
            self._arrived()
        return len(page.facts), self._behind

    async def _begin_again(self, epoch: str) -> None:
        logger.warning("the shared log %s went back; everything is read and told again", self.url)
        await self._store.read_again(self.url, epoch, went_back=True)
        self._behind = True

    def _went_back(self, mark: LogMark, page: LogPage) -> bool:
        """Whether the log is not the one that was marked, or lost what it had then."""
        other = bool(mark.epoch) and page.epoch != mark.epoch
        return other or (mark.batch > 0 and page.nonce_at_mark != mark.nonce) or page.own < mark.acknowledged

    async def _note(self, done: Turn) -> None:
        """Store an error that is new, and now and then that all is well, for other processes to see."""
        error = done.error.line() if done.error else ""
        in_step = not done.was_news and done.error is None
        now_ms = self._clock()
        if error == self._noted_error and not (in_step and now_ms - self._noted_at_ms >= NOTE_EVERY_MS):
            return
        try:
            await self._store.note_remote(self.url, now_ms if in_step else None, error)
        except McpMemoryError as failed:  # the next turn tries again
            logger.info("noting the state of %s: %s", self.url, failed.line())
            return
        self._noted_error = error
        if in_step:
            self._noted_at_ms = now_ms


def _requests(origin: str, out: Outgoing, follows: int) -> list[Batch]:
    """Cut what is to be sent into requests; only the last one carries the number, so that readers hear of it when all is there."""
    groups: list[list[Fact]] = [[]]
    size = 0
    for fact in out.facts:
        size += len(fact.body)
        if groups[-1] and (size > SEND_BYTES or len(groups[-1]) == SEND_ROWS):
            groups.append([])
            size = len(fact.body)
        groups[-1].append(fact)
    batches = [Batch(origin, None, tuple(group)) for group in groups]
    batches[-1] = replace(batches[-1], number=out.up_to, erased=out.erased, follows=follows)
    return batches
