"""Calls of tools become steps of the turn's episode, in the order of the calls, unless the agent logs them itself."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from uuid_utils import uuid7

from mcp_memory.domain import limits
from mcp_memory.domain.metadata_keys import HOOK, RECORDED_BY, SESSION_ID, WORKING_DIR
from mcp_memory.domain.requests.base import fields_of
from mcp_memory.domain.requests.recording import StepFields
from mcp_memory.domain.session_ids import agent_turn, turn_id
from mcp_memory.errors import EpisodeClosed, InvalidInput, NotFound
from mcp_memory.hooks import telling
from mcp_memory.hooks.ledger import Session, Turn
from mcp_memory.hooks.outcomes import note
from mcp_memory.hooks.rounds import Record, call_of, joined
from mcp_memory.rendering.render import answer

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

_LOGS = ("log_step", "log_steps", "complete_episode")
_PAGE = 200  # steps of an episode that are read at once
logger = logging.getLogger(__name__)


class Steps:
    """The steps of hooked sessions, in a process that has the memory open."""

    def __init__(self, memory: "EpisodicMemory") -> None:
        self._memory = memory

    async def use(self, session: Session, records: Sequence[Record]) -> str:
        """Take calls that were told one by one; return advice about the last. Where a host tells rounds, the round's end is waited for."""
        turn = session.turn_of(records[0].get("agent", ""))
        new = [record for record in records if record["id"] not in session.handled]
        for record in new:
            if task := record.get("task"):
                await self._asked(session, str(record.get("started", "")), str(task))
        waiting = [record for record in new if record.get("waits")]
        turn.pending += [call_of(record) for record in waiting]
        turn.tells_ends |= bool(waiting)
        session.handled += [record["id"] for record in waiting]
        calls = [record for record in new if not record.get("waits")]
        return await self._take(session, turn, calls, [record["id"] for record in calls])

    async def batch(self, session: Session, record: Record) -> str:
        """Take a round of calls, in their order, each with what was told of it alone; return advice about the last."""
        turn = session.turn_of(record.get("agent", ""))
        if record["id"] in session.handled:
            return ""
        alone = {call.get("call", ""): call for call in turn.pending}
        calls = [joined(alone.pop(call.get("call", ""), None), call) for call in record["calls"]]
        told = await self._take(session, turn, [*alone.values(), *calls], [record["id"]])
        turn.pending = []
        return told

    async def flush(self, session: Session, turn: Turn) -> None:
        """Take the calls of a round whose end was never told: it was interrupted, or the host tells none."""
        await self._take(session, turn, turn.pending, [])
        turn.pending = []

    async def settle_held(self, session: Session, turn: Turn) -> None:
        """Log the steps that were held back to the agent's own episode, unless the agent logged its work itself."""
        steps = session.held() if turn.is_agents and not turn.agent_logs else []
        if steps:
            try:
                known = (await self._memory.get_episode(turn.episode_id)).episode.step_count
                for start in range(known, len(steps), limits.MAX_STEPS_PER_CALL):  # none but ours: some were logged before a crash
                    await self._memory.log_steps(turn.episode_id, steps[start : start + limits.MAX_STEPS_PER_CALL])
                turn.logged = len(steps)
            except (EpisodeClosed, NotFound, InvalidInput) as error:
                logger.warning("steps of session %s were not recorded: %s", session.id, error.message)
        session.let_go()

    async def settle_doubt(self, session: Session) -> None:
        """Find out whether steps that were being logged when a process died were committed."""
        if not session.doing:
            return
        turn = session.turn_of(session.doing_agent)
        try:
            count = (await self._memory.get_episode(turn.episode_id)).episode.step_count
        except NotFound:
            count = 0
        if count > turn.logged:  # a call is all or none
            turn.logged = count
            turn.pending = []
            session.handled += session.doing
        session.doing = []

    async def _take(self, session: Session, turn: Turn, calls: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> str:
        steps: list[dict[str, Any]] = []
        for call in calls:
            if call.get("own"):
                await self._own(session, turn, str(call["own"]), str(call.get("episode_id", "")))
            elif "step" in call:
                steps.append(call["step"])
                turn.interrupted = bool(call.get("interrupted"))
                turn.answered = False
        if not steps or not (turn.prompt or turn.is_agents or turn is not session.turn):
            session.handled += ids
            return ""
        if turn.is_agents:
            note(turn, steps)
            turn.logged += len(steps)
            for step in steps if not turn.agent_logs else ():
                session.hold(step)
            session.handled += ids
            return ""
        if turn.agent_logs:
            session.handled += ids
            return ""
        for start in range(0, len(steps), limits.MAX_STEPS_PER_CALL):
            await self._log(session, turn, steps[start : start + limits.MAX_STEPS_PER_CALL], ids)
        if len(calls) > limits.MAX_STEPS_PER_CALL or steps[-1]["status"] == "ok" or not turn.episode_id:
            return ""
        return telling.recovery_text(answer(await self._memory.suggest_next_step(episode_id=turn.episode_id, limit=1)))

    async def _log(self, session: Session, turn: Turn, steps: Sequence[dict[str, Any]], ids: Sequence[str]) -> None:
        """Commit steps to the turn's episode, beginning it if need be; steps that are refused are left out and logged."""
        if not turn.episode_id:
            turn.episode_id, turn.prepared_id = await self._begun(session, turn), ""
        session.doing, session.doing_agent = list(ids) or ["round"], _agent_of(session, turn)
        session.save()  # so that a crash after the commit and before the next save counts no step twice
        try:
            await self._memory.log_steps(turn.episode_id, steps)
        except (EpisodeClosed, NotFound):  # somebody completed it, or forgot it: the task goes on in another
            turn.episode_id, turn.logged, turn.checked = "", 0, False
            await self._log(session, turn, steps, ids)
            return
        except InvalidInput as error:
            session.doing = []
            if len(steps) > 1:
                for step in steps:
                    await self._log(session, turn, [step], ids)
            else:
                logger.warning("a step of session %s was not recorded: %s", session.id, error.message)
            return
        note(turn, steps)
        turn.logged += len(steps)
        turn.pending = []  # it was they, where a round was waited for
        session.handled += ids
        session.doing = []
        session.save()

    async def _begun(self, session: Session, turn: Turn) -> str:
        """Return the id of the turn's episode, begun now, or by a process that died before it noted that."""
        if turn.prepared_id:
            try:
                return (await self._memory.get_episode(turn.prepared_id)).episode.id
            except NotFound:
                pass
        agent = _agent_of(session, turn)
        parent_id = await self._parent(session) if agent else ""
        metadata = {SESSION_ID: session.id, RECORDED_BY: HOOK} | ({WORKING_DIR: turn.working_dir} if turn.working_dir else {})
        for _ in range(3):
            turn.prepared_id = turn.prepared_id or str(uuid7())  # noted first: a process may die between this and the note of what it began
            session.save()
            turn.parts += 1
            name = (agent_turn(agent) if agent else turn.name or "turn") + (f"-part{turn.parts}" if turn.parts > 1 else "")
            try:
                started = await self._memory.start_episode(
                    task=turn.prompt or (f"Part of: {session.turn.prompt}" if session.turn.prompt else "The work of a subagent"),
                    episode_id=turn.prepared_id,
                    agent=turn.host,
                    project=turn.project,
                    recall=False,
                    external_id=turn_id(turn.host, session.id, name),
                    parent_id=parent_id,
                    metadata=metadata,
                )
            except InvalidInput:  # this turn was imported already, before it was over: what follows is another part
                continue
            except NotFound:  # what it was to be a part of was forgotten, or never was
                turn.parts, parent_id = turn.parts - 1, ""
                continue
            return started.episode_id
        raise InvalidInput(f"the episode of session {session.id} could not be begun")

    async def _parent(self, session: Session) -> str:
        """Return the episode that a subagent's is a child of."""
        main = session.turn
        if not main.episode_id and main.prompt and not main.agent_logs:
            main.episode_id, main.prepared_id = await self._begun(session, main), ""
        return main.episode_id

    async def _asked(self, session: Session, agent: str, task: str) -> None:
        """Note what a subagent was asked to do; its episode may have begun before that was told."""
        if not agent:
            return
        session.tasks[agent] = task
        turn = session.agents.get(agent)
        if turn is not None and not turn.prompt:
            turn.prompt = task
            if turn.episode_id:
                await self._memory.update_episode(turn.episode_id, task=task)

    async def _own(self, session: Session, turn: Turn, own: str, episode_id: str) -> None:
        """Heed what the agent told the memory itself: which episode it began, and whether it logs to one."""
        if not episode_id or turn is not session.turn:
            return
        if own == "start_episode":
            await self._adopt(session, turn, episode_id)
        elif own in _LOGS:
            if episode_id != turn.episode_id:
                await self._adopt(session, turn, episode_id)
            turn.agent_logs = True
            turn.agent_completed |= own == "complete_episode"
            session.let_go()

    async def _adopt(self, session: Session, turn: Turn, episode_id: str) -> None:
        """Take the agent's episode for the turn's. One that the hooks began before goes, and its steps wait with those to come."""
        if turn.is_agents and not turn.agent_completed and turn.episode_id != episode_id:
            await self.settle_held(session, turn)
            session.ended.append(Turn(**vars(turn)))
        early: list[dict[str, Any]] = []
        if turn.episode_id and not turn.is_agents:
            early = await self.logged_to(turn.episode_id)
            session.let_go()
            for step in early:
                session.hold(step)
            await self._memory.forget(episode_ids=[turn.episode_id], reason="the agent records this task itself", confirm=True)
        turn.episode_id, turn.prepared_id, turn.is_agents = episode_id, "", True
        turn.agent_logs = turn.agent_completed = False
        turn.logged, turn.checked = len(early), False
        note(turn, early)
        session.save()

    async def logged_to(self, episode_id: str) -> list[dict[str, Any]]:
        """Return the steps of an episode as they would be logged."""
        steps: list[dict[str, Any]] = []
        start: int | None = 0
        while start is not None:
            try:
                page = await self._memory.get_episode(episode_id, detail="full", step_from=start, step_limit=_PAGE)
            except NotFound:
                break
            steps += [{name: getattr(s, name) for name in fields_of(StepFields)} for s in page.episode.steps]
            start = page.next_step_from
        return steps


def _agent_of(session: Session, turn: Turn) -> str:
    """Return which subagent's turn it is, "" for the agent's own."""
    return next((name for name, other in session.agents.items() if other is turn), "")
