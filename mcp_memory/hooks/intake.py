"""How events come in: those that wait before the one at hand, each once, those that nobody understands aside."""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import anyio

from mcp_memory.domain import limits
from mcp_memory.errors import Conflict, EpisodeClosed, InvalidInput, McpMemoryError, NotFound
from mcp_memory.hooks import ledger, processes, sessions, spool
from mcp_memory.hooks.kinds import SHOWS
from mcp_memory.hooks.ledger import Session
from mcp_memory.hooks.outcomes import CUT_OFF
from mcp_memory.hooks.rounds import Record
from mcp_memory.hooks.steps import Steps
from mcp_memory.hooks.turns import Turns
from mcp_memory.rendering.neutralise import unmarked

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

DEAD_AFTER_S = 6 * 3600.0  # without a word, of a session whose process is not known
_DRAIN_POLL_S = 0.02
_TURNING = frozenset({"user-prompt-submit", "user-prompt-expansion", "session-end"})
logger = logging.getLogger(__name__)


class Hooks:
    """The hooks of one data directory, in a process that has the memory open."""

    def __init__(self, memory: "EpisodicMemory", folder: str) -> None:
        self._memory, self._folder = memory, folder
        self._steps = Steps(memory)
        self._turns = Turns(memory, self._steps)

    async def handle(self, record: Record) -> tuple[str, str]:
        """Do what an event asks for, after those of its session that wait; return what the agent should be told and the episode's id.

        Durability: steps are committed when this returns, or, while their round is not over, in the ledger. A prompt that ends a turn
        leaves its completion to `finish`.

        Raises:
            TimeoutError: Another process holds the session.
        """
        async with ledger.session_of(self._folder, record["session"]) as session:
            await self._take_waiting(session)
            turn = session.turn  # the one the event belongs to: afterwards there may be another
            text = await self._one(session, record, tells=True)
            session.leave()
            if record["event"] not in SHOWS:
                return "", turn.episode_id
            owed = spool.take_owed(self._folder, session.id)
            return unmarked("\n\n".join(part for part in (owed, text) if part)), turn.episode_id

    async def finish(self, session_id: str) -> None:
        """Complete the session's turns that are over."""
        async with ledger.session_of(self._folder, session_id) as session:
            await self._turns.complete_ended(session)
            session.leave()

    async def drain(self, budget_s: float = float("inf"), *, wait_s: float = 0.0) -> bool:
        """Take what waits of every session: events that came while nobody had the memory open, turns to complete.

        One process at a time does; *wait_s* is for another one to be done. Returns whether nothing is left: False while another is at
        it, and after *budget_s*, when it stops between sessions.

        Raises:
            StoreUnavailable, Overloaded: Later, then. Nothing is lost.
        """
        if not os.access(self._folder, os.W_OK | os.X_OK):  # nobody has used hooks here, or it is not ours
            return True
        lock = await self._drain_lock(wait_s)
        if lock is None:
            return False
        until = time.monotonic() + budget_s
        is_all = True
        try:
            for session_id in sessions.waiting(self._folder):
                if time.monotonic() >= until:
                    return False
                is_all &= await self._drain_one(session_id)
            return is_all
        finally:
            os.close(lock)

    async def _drain_lock(self, wait_s: float) -> int | None:
        until = time.monotonic() + wait_s
        while (lock := spool.hold(self._folder, spool.DRAIN_LOCK)) is None:
            if time.monotonic() >= until:
                return None
            await anyio.sleep(_DRAIN_POLL_S)  # another process tells nobody when it lets go
        return lock

    async def settle_dead(self, but: str = "") -> None:
        """End the sessions whose host is gone without a word, but for one that has just been heard of."""
        for session_id, process, heard_s in list(sessions.open_sessions(self._folder)):
            if session_id == but or processes.is_alive(process) or (not process and time.time() - heard_s < DEAD_AFTER_S):
                continue
            try:
                async with ledger.session_of(self._folder, session_id, wait_s=0.0) as session:
                    await self._take_waiting(session)
                    if not session.over and session.process == process:
                        session.turn.stopped = CUT_OFF
                        session.over = True
                        await self._turns.end(session, {}, tells=False)
                    session.leave()
            except TimeoutError:  # somebody is at it
                continue

    async def _drain_one(self, session_id: str) -> bool:
        """Return whether the session was ours to take: another process may have it in hand."""
        try:
            async with ledger.session_of(self._folder, session_id, wait_s=0.0) as session:
                await self._take_waiting(session)
                await self._turns.complete_ended(session)
                session.leave()
        except TimeoutError:
            return False
        return True

    async def _take_waiting(self, session: Session) -> None:
        """Handle the spooled events of a session in order; what they would have told the agent is owed to its next hook."""
        await self._steps.settle_doubt(session)
        waiting = list(spool.read(self._folder, session.id, session.taken_of, session.taken))
        if waiting:
            session.taken_of = spool.first_id(self._folder, session.id)
        turning = [end for end, record in waiting if isinstance(record, dict) and record["event"] in _TURNING]
        for end, records in self._chunks(waiting):
            if records:
                # Only the latest task is worth a recall, and nothing is owed to a session that is over.
                tells = not turning or end >= turning[-1] or records[0]["event"] == "session-start"
                text = await self._understood(session, records, tells=tells)
                if text and tells and records[0]["event"] in SHOWS:
                    spool.owe(self._folder, session.id, text)
            session.taken = end
            session.save()
        spool.remove_taken(self._folder, session.id, session.taken_of, session.taken)  # though nothing waited: it may have been locked

    async def _understood(self, session: Session, records: Sequence[Record], *, tells: bool) -> str:
        """Handle events that were kept; those that nobody can handle are set aside. Raises McpMemoryError, OSError: later, then."""
        try:
            if records[0]["event"] == "post-tool-use":
                session.over = False
                return await self._steps.use(session, records)
            return await self._one(session, records[0], tells=tells)
        except (InvalidInput, NotFound, EpisodeClosed, Conflict) as error:  # it would be refused for ever, and block what waits behind it
            reason = error.message
        except (McpMemoryError, OSError):
            raise
        except Exception as error:
            logger.exception("events of session %s could not be handled and are set aside in %s", session.id, spool.ASIDE)
            reason = f"{type(error).__name__}: {error}"
        for record in records:
            spool.set_aside(self._folder, repr(record).encode("utf-8", "replace"), reason)
        return ""

    async def _one(self, session: Session, record: Record, *, tells: bool) -> str:
        event = record["event"]
        session.process = record.get("process", "") or session.process
        if event in ("post-tool-use", "post-tool-batch"):
            session.over = False
            return await (self._steps.use(session, [record]) if event == "post-tool-use" else self._steps.batch(session, record))
        if record["id"] in session.handled:
            return ""
        session.over = event == "session-end"
        if session.over:
            self._memory.heard_of(session.id, "")
        text = await self._turns.act(session, record, tells=tells)
        session.handled.append(record["id"])
        return text

    def _chunks(self, waiting: Sequence[tuple[int, Record | bytes]]) -> Iterator[tuple[int, list[Record]]]:
        """Yield (offset after them, records): steps in a row of one agent together, as many as one call takes, and every other event alone.

        A line that is not understood is set aside, and yields nothing but its end.
        """
        chunk: list[Record] = []
        end = 0
        for offset, record in waiting:
            is_step = isinstance(record, dict) and record["event"] == "post-tool-use"
            joins = is_step and chunk and record.get("agent") == chunk[0].get("agent")  # type: ignore[union-attr]
            if chunk and (not joins or len(chunk) == limits.MAX_STEPS_PER_CALL):
                yield end, chunk
                chunk = []
            end = offset
            if isinstance(record, bytes):
                if record.strip():
                    logger.warning("an event that this version does not understand is set aside in %s", spool.ASIDE)
                    spool.set_aside(self._folder, record, "no event that this version understands")
                yield end, []
            elif is_step:
                chunk.append(record)
            else:
                yield end, [record]
        if chunk:
            yield end, chunk
