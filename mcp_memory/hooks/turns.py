"""What each event does. One prompt is one episode, begun with its first step, so that mere conversation leaves nothing behind."""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip, goes_on
from mcp_memory.domain.inference import check_of
from mcp_memory.domain.metadata_keys import WORKING_DIR
from mcp_memory.errors import EpisodeClosed, InvalidInput, NotFound
from mcp_memory.hooks import events, ledger, spool
from mcp_memory.hooks.ledger import Session, Turn
from mcp_memory.rendering.neutralise import inert, neutral
from mcp_memory.rendering.render import answer

if TYPE_CHECKING:
    from mcp_memory.config import Config
    from mcp_memory.memory import EpisodicMemory

Record = dict[str, Any]

OWN_TOOLS = ("__start_episode", "__log_step", "__log_steps", "__complete_episode")  # of our server, under any name the host gave it
UNSTATED = "Nobody said how it ended (recorded by the hook)."
RECALL_TOKENS = 600
logger = logging.getLogger(__name__)


class Hooks:
    """The hooks of one data directory, in a process that has the memory open."""

    def __init__(self, memory: "EpisodicMemory", folder: str) -> None:
        self._memory, self._folder = memory, folder

    async def handle(self, record: Record) -> tuple[str, str]:
        """Do what an event asks for, after those of its session that wait; return what the agent should be told and the episode's id.

        Durability: steps are committed when this returns. A prompt that ends a turn leaves its completion to `finish`.
        """
        async with ledger.session_of(self._folder, record["session"]) as session:
            await self._take_waiting(session)
            turn = session.turn  # the one the event belongs to: afterwards there may be another
            text = await self._one(session, record, tells=True)
            session.leave()
            if record["event"] not in events.SHOWS:
                return "", turn.episode_id
            return "\n\n".join(part for part in (spool.take_owed(self._folder, session.id), text) if part), turn.episode_id

    async def finish(self, session_id: str) -> None:
        """Complete the session's turns that are over."""
        async with ledger.session_of(self._folder, session_id) as session:
            await self._complete_ended(session)
            session.leave()

    async def drain(self) -> None:
        """Take what waits of every session: events that came while nobody had the memory open, turns to complete."""
        for session_id in ledger.waiting(self._folder):
            async with ledger.session_of(self._folder, session_id) as session:
                await self._take_waiting(session)
                await self._complete_ended(session)
                session.leave()

    async def _take_waiting(self, session: Session) -> None:
        """Handle the spooled events of a session in order; what they would have told the agent is owed to its next hook."""
        await self._settle_interrupted(session)
        waiting = list(spool.read(self._folder, session.id, session.taken_of, session.taken))
        if waiting:
            session.taken_of = spool.first_id(self._folder, session.id)
        turning = [end for end, record in waiting if record and record["event"] in ("user-prompt-submit", "session-end")]
        for end, records in _chunks(waiting):
            # Only the latest task is worth a recall, and nothing is owed to a session that is over.
            tells = not turning or end >= turning[-1] or records[0]["event"] == "session-start"
            is_steps = records[0]["event"] == "post-tool-use"
            text = await (self._steps(session, records) if is_steps else self._one(session, records[0], tells=tells))
            if text and tells and records[0]["event"] in events.SHOWS:
                spool.owe(self._folder, session.id, text)
            session.taken = end
            session.save()
        spool.remove_taken(self._folder, session.id, session.taken_of, session.taken)  # though nothing waited: it may have been locked

    async def _one(self, session: Session, record: Record, *, tells: bool) -> str:
        if record["event"] == "post-tool-use":
            return await self._steps(session, [record])
        if record["id"] in session.handled:
            return ""
        session.over = record["event"] == "session-end"
        act = {"session-start": self._begin, "user-prompt-submit": self._prompt, "stop": self._stop, "session-end": self._end}
        text = await act[record["event"]](session, record, tells)
        session.handled.append(record["id"])
        return text

    async def _begin(self, session: Session, record: Record, tells: bool) -> str:
        """Give the agent what is known about the project, if anything is."""
        if not tells or self._memory.has_control_group:  # what a whole session is told, its held-out episodes would be told, too
            return ""
        completed = await self._memory.search_episodes(project=record["project"], state="completed", limit=1)
        if not completed.total:
            return ""
        return inert(neutral(await self._memory.project_digest(project=record["project"])))

    async def _prompt(self, session: Session, record: Record, tells: bool) -> str:
        """Begin a new task, unless the prompt only says to go on, and give the agent what is known about it."""
        prompt = str(record.get("prompt", ""))
        if not prompt or prompt.startswith("/") or (session.turn.prompt and goes_on(prompt)):
            return ""
        if session.turn.logged:
            session.ended.append(session.turn)
        session.turn = Turn(prompt, project=record["project"], working_dir=record.get(WORKING_DIR, ""))
        session.save()  # before the recall: a failure of it must not lose the turn
        if not tells:
            return ""
        prepared = await self._memory.prepare_episode(
            prompt,
            project=record["project"],
            limit=events.SHOWN_EPISODES,
            budget_tokens=RECALL_TOKENS,
            min_similarity=events.MIN_SIMILARITY,
        )
        session.turn.prepared_id = prepared.episode_id
        return events.recalled_text(answer(prepared.recalled)) if prepared.recalled else ""

    async def _stop(self, session: Session, record: Record, tells: bool) -> str:
        """Keep what the agent said; complete the episode when a test or build run shows how it went."""
        session.turn.answer = str(record.get("answer") or "") or session.turn.answer
        if session.turn.check:
            await self._end(session, record, tells)
        return ""

    async def _end(self, session: Session, record: Record, tells: bool) -> str:
        """Complete what is open. The task stays at hand: what follows without a new prompt belongs to it."""
        turn = session.turn
        if turn.logged:
            session.ended.append(turn)
            session.turn = Turn(turn.prompt, project=turn.project, working_dir=turn.working_dir, agent_logs=turn.agent_logs)
        await self._complete_ended(session)
        return ""

    async def _steps(self, session: Session, records: Sequence[Record]) -> str:
        """Log steps; when the last one failed, tell the agent what fixed that error before."""
        turn, session.over = session.turn, False
        turn.agent_logs |= any(record["step"]["tool"].endswith(OWN_TOOLS) for record in records)
        new = [record for record in records if record["id"] not in session.handled]
        if turn.agent_logs or not turn.prompt or not new:
            return ""
        for start in range(0, len(new), limits.MAX_STEPS_PER_CALL):
            await self._log(session, new[start : start + limits.MAX_STEPS_PER_CALL])
        if len(new) > 1 or new[0]["step"]["status"] == "ok" or not turn.episode_id:
            return ""
        return events.recovery_text(answer(await self._memory.suggest_next_step(episode_id=turn.episode_id, limit=1)))

    async def _log(self, session: Session, records: Sequence[Record]) -> None:
        """Commit steps to the turn's episode, beginning it if need be; steps that are refused are left out and logged."""
        turn = session.turn
        if not turn.episode_id:
            turn.episode_id, turn.prepared_id = await self._begun(turn, session.id), ""
        session.doing = [record["id"] for record in records]
        session.save()  # so that a crash after the commit and before the next save counts no step twice
        try:
            await self._memory.log_steps(turn.episode_id, [record["step"] for record in records])
        except (EpisodeClosed, NotFound):  # somebody completed it, or forgot it: the task goes on in another
            turn.episode_id, turn.logged, turn.check = "", 0, ""
            await self._log(session, records)
            return
        except InvalidInput as error:
            session.doing = []
            if len(records) > 1:
                for record in records:
                    await self._log(session, [record])
            else:
                logger.warning("a step of session %s was not recorded: %s", session.id, error.message)
            return
        for number, record in enumerate(records, turn.logged):
            if check := check_of(record["step"]):
                turn.check, turn.check_passed = f"step #{number} ({check})", record["step"]["status"] == "ok"
        turn.logged += len(records)
        session.handled += session.doing
        session.doing = []
        session.save()

    async def _begun(self, turn: Turn, session_id: str) -> str:
        """Return the id of the turn's episode, begun now, or by a process that died before it noted that."""
        if turn.prepared_id:
            try:
                return (await self._memory.get_episode(turn.prepared_id)).episode.id
            except NotFound:
                pass
        started = await self._memory.start_episode(
            task=turn.prompt,
            episode_id=turn.prepared_id,
            agent="claude-code",
            project=turn.project,
            recall=False,
            metadata={"session_id": session_id, "recorded_by": "hook"} | ({WORKING_DIR: turn.working_dir} if turn.working_dir else {}),
        )
        return started.episode_id

    async def _settle_interrupted(self, session: Session) -> None:
        """Find out whether steps that were being logged when a process died were committed."""
        if not session.doing:
            return
        try:
            count = (await self._memory.get_episode(session.turn.episode_id)).episode.step_count
        except NotFound:
            count = 0
        if count > session.turn.logged:  # a call is all or none
            session.turn.logged = count
            session.handled += session.doing
        session.doing = []

    async def _complete_ended(self, session: Session) -> None:
        """Complete the episodes of the turns that are over. The outcome is what the last check showed, else partial; both are marked."""
        while session.ended:
            turn = session.ended[0]
            if turn.check:
                outcome = "success" if turn.check_passed else "failure"
                mark = f"Outcome inferred: the last check, {turn.check}, {'passed' if turn.check_passed else 'failed'}."
            else:
                outcome, mark = "partial", UNSTATED
            summary = clip(f"{turn.answer}\n{mark}".strip(), limits.MAX_NOTE_CHARS)
            session.save()
            try:
                await self._memory.complete_episode(turn.episode_id, outcome, summary=summary)
            except (EpisodeClosed, NotFound) as error:
                logger.info("episode %s of a hook was not completed: %s", turn.episode_id, error.message)
            session.ended.pop(0)


def folder_of(config: "Config") -> str:
    """Return where the hooks keep their files."""
    return str(config.data_dir / "hooks")


def _chunks(waiting: Sequence[tuple[int, Record | None]]) -> Iterator[tuple[int, list[Record]]]:
    """Yield (offset after them, records): steps in a row together, as many as one call takes, and every other event alone."""
    chunk: list[Record] = []
    end = 0
    for offset, record in waiting:
        is_step = record is not None and record["event"] == "post-tool-use"
        if chunk and (not is_step or len(chunk) == limits.MAX_STEPS_PER_CALL):
            yield end, chunk
            chunk = []
        end = offset
        if record is not None and is_step:
            chunk.append(record)
        elif record is not None:
            yield end, [record]
    if chunk:
        yield end, chunk
