"""What each event does to a session's turn. One prompt is one episode, begun with its first step, so that mere talk leaves nothing."""

import logging
from typing import TYPE_CHECKING

from mcp_memory.domain.metadata_keys import WORKING_DIR
from mcp_memory.domain.prompts import begins_task, is_command, is_prompt
from mcp_memory.errors import EpisodeClosed, NotFound
from mcp_memory.hooks import telling
from mcp_memory.hooks.ledger import Session, Turn
from mcp_memory.hooks.outcomes import UNANSWERED, outcome_of
from mcp_memory.hooks.rounds import Record
from mcp_memory.hooks.steps import Steps
from mcp_memory.phrases.practice import NOTHING_YET
from mcp_memory.projects import Project
from mcp_memory.rendering.neutralise import neutral
from mcp_memory.rendering.render import answer

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

BEGIN_TOKENS = 300  # of what a session is begun with: it is read at every start
logger = logging.getLogger(__name__)


class Turns:
    """The turns of hooked sessions, in a process that has the memory open."""

    def __init__(self, memory: "EpisodicMemory", steps: Steps) -> None:
        self._memory, self._steps = memory, steps
        self._acts = {
            "session-start": self._begin,
            "user-prompt-submit": self._prompt,
            "user-prompt-expansion": self._prompt,
            "subagent-start": self._nothing,
            "subagent-stop": self._subagent_stop,
            "stop": self._stop,
            "session-end": self.end,
        }

    async def act(self, session: Session, record: Record, *, tells: bool) -> str:
        """Do what any event but a step's asks for; return what the agent should be told, "" where not *tells*."""
        return await self._acts[record["event"]](session, record, tells)

    async def _nothing(self, session: Session, record: Record, tells: bool) -> str:
        return ""

    async def _begin(self, session: Session, record: Record, tells: bool) -> str:
        """Give the agent what is known about the project, if anything is."""
        if not tells or self._memory.has_control_group:  # what a whole session is told, its held-out episodes would be told, too
            return ""
        project = await self._project(session, record)
        completed = await self._memory.search_episodes(project=project, state="completed", limit=1)
        if not completed.total:
            return ""
        known = await self._memory.project_digest(project=project, budget_tokens=BEGIN_TOKENS)
        return "" if known.rstrip().endswith(NOTHING_YET) else neutral(known)

    async def _project(self, session: Session, record: Record) -> str:
        """Return the name that the project of an event is kept under."""
        found = await self._memory.project_named(Project(record["project"], record.get("project_before", ())))
        self._memory.heard_of(session.id, found)
        return found

    async def _prompt(self, session: Session, record: Record, tells: bool) -> str:
        """Begin a new task, unless the prompt only says to go on, and give the agent what is known about it."""
        prompt = str(record.get("prompt", ""))
        is_expansion = record["event"] == "user-prompt-expansion"
        if record.get("agent") or not is_prompt(prompt) or (is_command(prompt) and not is_expansion):  # a command's expansion follows
            return ""
        await self._steps.flush(session, session.turn)
        session.turn.next_words = prompt
        task = prompt
        if await self._contradicted(session.turn, prompt):
            task = f"{session.turn.prompt}\n{prompt}"  # it is still about that
        if not begins_task(prompt, after_another=bool(session.turn.prompt)):
            return ""
        await self._end_turn(session)
        host, working_dir = record.get("host") or "claude-code", record.get(WORKING_DIR, "")
        name = _name(session, record.get("turn") or "")
        project = await self._project(session, record)
        session.turn = Turn(task, host=host, name=name, project=project, working_dir=working_dir)
        session.save()  # before the recall: a failure of it must not lose the turn
        if not tells:
            return ""
        prepared = await self._memory.prepare_episode(task, project=project)
        session.turn.prepared_id = prepared.episode_id
        return telling.recalled_text(answer(prepared.recalled)) if prepared.recalled else ""

    async def _contradicted(self, turn: Turn, words: str) -> bool:
        """Return whether a person's first words after a turn that was completed say that it failed; its outcome is that then."""
        from mcp_memory.domain.user_words import verdict_of  # loaded at the end of a turn only

        done_id, turn.done_id = "" if turn.logged else turn.done_id, ""
        if not done_id or verdict_of(words) is not False:
            return False
        try:
            await self._memory.label(done_id, "failure")
        except NotFound:
            return False
        return True

    async def _stop(self, session: Session, record: Record, tells: bool) -> str:
        """Keep what the agent said; complete the episode when it is clear how it went and nothing is at work in the background."""
        turn = session.turn
        await self._steps.flush(session, turn)
        if not (turn.answered and turn.next_words):  # an answer to mere words says nothing of the work
            turn.answer = str(record.get("answer") or "") or turn.answer
        turn.answered = True
        if record.get("busy"):
            return ""
        if turn.is_agents and not turn.agent_logs:
            await self._steps.settle_held(session, turn)
        if turn.checked:
            await self._end_turn(session)
            await self.complete_ended(session)
        return ""

    async def _subagent_stop(self, session: Session, record: Record, tells: bool) -> str:
        """Complete a subagent's episode."""
        turn = session.agents.get(record.get("agent", ""))
        if turn is None:
            return ""
        turn.answer = str(record.get("answer") or "") or turn.answer
        await self._steps.flush(session, turn)
        del session.agents[record["agent"]]
        if turn.logged:
            session.ended.append(turn)
        await self.complete_ended(session)
        return ""

    async def end(self, session: Session, record: Record, tells: bool) -> str:
        """Complete what is open. The task stays at hand: what follows without a new prompt belongs to it."""
        for turn in list(session.agents.values()):
            await self._steps.flush(session, turn)
            turn.stopped = turn.stopped or session.turn.stopped
        session.ended += [turn for turn in session.agents.values() if turn.logged]
        session.agents = {}
        await self._steps.flush(session, session.turn)
        if session.turn.tells_ends and not session.turn.answered and not session.turn.stopped:
            session.turn.stopped = UNANSWERED
        await self._end_turn(session)
        await self.complete_ended(session)
        return ""

    async def _end_turn(self, session: Session) -> None:
        """Put the turn to those that are over, if anything was done in it."""
        turn = session.turn
        await self._steps.flush(session, turn)
        if turn.is_agents:
            await self._steps.settle_held(session, turn)
        if turn.logged or (turn.is_agents and not turn.agent_completed) or (turn.episode_id and not turn.is_agents):
            session.ended.append(turn)
            session.turn = turn.after()

    async def complete_ended(self, session: Session) -> None:
        """Complete the episodes of the turns that are over. What the outcome was inferred from is said in the summary."""
        while session.ended:
            turn = session.ended[0]
            session.save()
            if turn.episode_id and not turn.agent_completed:
                outcome, summary = outcome_of(turn, await self._steps.logged_to(turn.episode_id))
                try:
                    await self._memory.complete_episode(turn.episode_id, outcome, summary=summary)
                except (EpisodeClosed, NotFound) as error:
                    logger.info("episode %s of a hook was not completed: %s", turn.episode_id, error.message)
            session.ended.pop(0)


def _name(session: Session, turn: str) -> str:
    """Return a turn's name in its session, numbered where the host gave it before."""
    earlier = session.names.get(turn, 0)
    session.names[turn] = earlier + 1
    return f"{turn}-{earlier + 1}" if earlier else turn
