"""What is known of one agent session between two hooks: a small file per session, held by one process at a time.

Files of a session: `.json` this ledger, `.over` the ledger of a session that ended, which may be resumed, and what is left beside them:
`.spool` and `.owed` (spool.py), `.held` (steps that wait until it is clear whether the agent logs its work itself).
"""

import json
import os
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from mcp_memory.file_locks import try_lock
from mcp_memory.hooks import spool

SUFFIX = ".json"
OVER_SUFFIX = ".over"
HELD_SUFFIX = ".held"
WAIT_S = 2.0  # for another process that holds a session
_LOCKS = 16  # files, never removed: a lock on a removed file would lock nobody out
_LOCK_POLL_S = 0.005
_KEPT_IDS = 200  # of events handled, for those that arrive twice; a hook gives up after seconds
_MAX_PENDING = 200


class Turn:
    """The task at hand: the prompt, its episode once the first step is logged, and what the steps show."""

    def __init__(self, prompt: str = "", **fields: Any) -> None:
        self.prompt = prompt
        self.host = "claude-code"
        self.name = ""  # of this turn in its session, as an import names it
        self.project = ""
        self.working_dir = ""  # the agent's, when the prompt came
        self.prepared_id = ""  # of the episode that what was recalled counts for, until it is begun
        self.episode_id = ""
        self.parts = 0  # episodes begun under this turn: somebody may complete one while the work goes on
        self.logged = 0  # steps committed
        self.answer = ""  # what the agent said last
        self.is_agents = False  # the episode was begun by the agent itself
        self.agent_logs = False  # the agent logs its own steps, too: the hooks hold back
        self.agent_completed = False
        self.pending: list[dict[str, Any]] = []  # calls whose round is not over
        self.checked = False  # a test or build run shows how it went
        self.tells_ends = False  # the host says when the agent has answered
        self.answered = False  # and it has, since the last step
        self.interrupted = False  # the person stopped it, and nothing was done since
        self.next_words = ""  # what the person wrote after all of it
        self.done_id = ""  # of the episode that was completed at the agent's answer, until the person's next words
        self.stopped = ""  # why it is known to be over, where the host did not say so
        vars(self).update({name: value for name, value in fields.items() if name in vars(self)})
        self.pending = [call for call in self.pending if isinstance(call, dict)][-_MAX_PENDING:]

    def after(self) -> "Turn":
        """Return what the task is for work that follows without a new prompt."""
        kept = ("host", "name", "project", "working_dir", "agent_logs", "parts", "tells_ends")
        done_id = "" if self.is_agents else self.episode_id
        return Turn(self.prompt, done_id=done_id, **{name: getattr(self, name) for name in kept})


class Session:
    """One session's ledger."""

    def __init__(self, folder: str, session_id: str) -> None:
        self.id = session_id
        self._folder, self._path = folder, os.path.join(folder, spool.file_name(session_id, SUFFIX))
        self._over_path = os.path.join(folder, spool.file_name(session_id, OVER_SUFFIX))
        self.turn = Turn()
        self.agents: dict[str, Turn] = {}  # of subagents that are at work
        self.tasks: dict[str, str] = {}  # what they were asked to do, by their ids
        self.names: dict[str, int] = {}  # how often a name of a turn was given
        self.process = ""  # the host's
        self.over = False  # the session's end was its last event
        self.ended: list[Turn] = []  # turns that are over and whose episodes are to be completed
        self.taken, self.taken_of = 0, ""  # bytes of the spool that begins with that
        self.handled: list[str] = []  # ids of the latest events
        self.doing: list[str] = []  # ids of the events whose steps are being logged just now
        self.doing_agent = ""  # for that subagent, or the agent itself
        self._saved = self._text()  # as if saved: a session nobody touched leaves no file
        self._load()

    def _load(self) -> None:
        for path in (self._path, self._over_path):
            try:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                kept = json.loads(text)
                turn, ended = Turn(**kept["turn"]), [Turn(**turn) for turn in kept["ended"]]
                agents = {str(name): Turn(**turn) for name, turn in kept.get("agents", {}).items()}
                self.turn, self.ended, self.agents, self._saved = turn, ended, agents, text
                self.taken, self.taken_of, self.over = int(kept["taken"]), str(kept["taken_of"]), bool(kept["over"])
                self.handled, self.doing = list(kept["handled"]), list(kept["doing"])
                self.doing_agent = str(kept.get("doing_agent", ""))
                self.process = str(kept.get("process", ""))
                self.tasks, self.names = dict(kept.get("tasks", {})), dict(kept.get("names", {}))
                return
            except FileNotFoundError:
                continue
            except (ValueError, TypeError, KeyError, AttributeError):  # half written by a power cut, or of another version
                self._saved = ""

    def turn_of(self, agent: str) -> Turn:
        """Return the turn that events of a subagent, "" for the agent itself, belong to."""
        if not agent:
            return self.turn
        if agent not in self.agents:
            main = self.turn
            self.agents[agent] = Turn(self.tasks.get(agent, ""), host=main.host, project=main.project, working_dir=main.working_dir)
        return self.agents[agent]

    def save(self) -> None:
        """Put the ledger on disk in one step, if it changed."""
        self.handled = self.handled[-_KEPT_IDS:]
        text = self._text()
        if text == self._saved:
            return
        part = self._path + ".part"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
        os.replace(part, self._path)
        self._saved = text

    def leave(self) -> None:
        """Save what is known. Of a session that is over, and all of it done, only what it takes to resume it is kept."""
        if not self.over or self.ended or not spool.remove_taken(self._folder, self.id, self.taken_of, self.taken):
            self.save()
            return
        self.turn = self.turn.after()
        self.agents, self.tasks = {}, {}
        if self.turn.prompt and self.turn.parts:
            self.save()
        if os.path.exists(self._path):
            if self.turn.parts:
                os.replace(self._path, self._over_path)
            else:
                unlink(self._path)
        for suffix in (HELD_SUFFIX, spool.OWED_SUFFIX):
            unlink(os.path.join(self._folder, spool.file_name(self.id, suffix)))

    def hold(self, step: dict[str, Any]) -> None:
        """Keep a step until it is clear who logs it."""
        path = os.path.join(self._folder, spool.file_name(self.id, HELD_SUFFIX))
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8", errors="replace") as file:
            file.write(json.dumps(step, ensure_ascii=False) + "\n")

    def held(self) -> list[dict[str, Any]]:
        """Return the steps kept, in order."""
        try:
            with open(os.path.join(self._folder, spool.file_name(self.id, HELD_SUFFIX)), encoding="utf-8", errors="replace") as file:
                return [json.loads(line) for line in file if line.endswith("}\n")]
        except (FileNotFoundError, ValueError):
            return []

    def let_go(self) -> None:
        """Keep no step any longer."""
        unlink(os.path.join(self._folder, spool.file_name(self.id, HELD_SUFFIX)))

    def _text(self) -> str:
        kept: dict[str, Any] = {
            "session": self.id,
            "turn": vars(self.turn),
            "agents": {name: vars(turn) for name, turn in self.agents.items()},
            "ended": [vars(turn) for turn in self.ended],
            "over": self.over,
            "process": self.process,
        }
        kept |= {"tasks": self.tasks, "names": self.names}
        kept |= {"taken": self.taken, "taken_of": self.taken_of, "handled": self.handled}
        kept |= {"doing": self.doing, "doing_agent": self.doing_agent}
        return json.dumps(kept, ensure_ascii=False)


@asynccontextmanager
async def session_of(folder: str, session_id: str, wait_s: float = WAIT_S) -> AsyncIterator[Session]:
    """Hold a session alone, among all processes. Raises TimeoutError: another process does not let go of it."""
    spool.make_private(folder)
    number = zlib.crc32(session_id.encode("utf-8", "replace")) % _LOCKS
    fd = os.open(os.path.join(folder, f"lock-{number:02}"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = anyio.current_time() + wait_s
        while not try_lock(fd):
            if anyio.current_time() >= until:
                raise TimeoutError(f"another process holds session {session_id}")
            await anyio.sleep(_LOCK_POLL_S)  # another process tells nobody when it lets go
        yield Session(folder, session_id)
    finally:
        os.close(fd)


def unlink(path: str) -> None:
    """Remove a file, unless another process was quicker."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
