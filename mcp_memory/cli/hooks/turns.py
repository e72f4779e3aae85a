"""What each hook does. One prompt is one episode, begun with its first step, so that mere conversation leaves nothing behind."""

import sys

from mcp_memory.cli.hooks import events
from mcp_memory.cli.hooks.ledger import Turn, turn_of
from mcp_memory.cli.transcripts.clipping import clip, goes_on
from mcp_memory.cli.transcripts.inference import check_of
from mcp_memory.domain import limits
from mcp_memory.errors import StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias

    from mcp_memory.cli.hooks.link import Link

    Event: TypeAlias = Mapping[str, Any]

OWN_TOOLS = ("__start_episode", "__log_step", "__log_steps", "__complete_episode")  # of our server, under any name the host gave it
UNSTATED = "Nobody said how it ended (recorded by the hook)."
RECALL_TOKENS = 600


class Hooks:
    """The hooks of one data directory.

    `resident` answers fast and is None when no server runs; `own` opens the memory here, which takes a few tenths of a second and is
    kept for the hooks that may take that long.
    """

    def __init__(self, folder: str, project: str, resident: "Link | None", own: "Callable[[], AbstractContextManager[Link]]") -> None:
        self.folder, self.project, self.resident, self.own = folder, project, resident, own

    def session_start(self, event: "Event") -> str:
        """Give the agent what is known about the project, if anything is."""

        def known(link: "Link") -> str:
            project = self.project_of(event)
            completed = link.call("search_episodes", project=project, state="completed", limit=1)
            return link.digest(project) if completed["total"] else ""

        return self._with_link(known)

    def user_prompt_submit(self, event: "Event") -> str:
        """Begin a new task, unless the prompt only says to go on, and give the agent what is known about it."""
        prompt = str(event.get("prompt") or "").strip()
        with turn_of(self.folder, _session(event)) as turn:
            if not prompt or prompt.startswith("/") or (turn.prompt and goes_on(prompt)):
                return ""

            def begin(link: "Link") -> str:
                self._finish(link, turn, event)
                turn.reset(clip(prompt, limits.MAX_TASK_CHARS))
                recalled = link.call("recall", query=turn.prompt, project=self.project_of(event), limit=3, budget_tokens=RECALL_TOKENS)
                return events.recalled_text(recalled)

            return self._with_link(begin)

    def post_tool_use(self, event: "Event") -> str:
        """Log the step; when it failed, tell the agent what fixed that error before."""
        step = events.step_of(event)
        with turn_of(self.folder, _session(event)) as turn:
            if str(step["tool"]).endswith(OWN_TOOLS):
                turn.agent_logs = True
            if turn.agent_logs or not turn.prompt:
                return ""
            turn.step_count += 1
            turn.waiting.append(step)
            if check := check_of(step):
                turn.check, turn.check_passed = f"step #{turn.step_count - 1} ({check})", step["status"] == "ok"
            if self.resident is None:
                return ""
            self._flush(self.resident, turn, event)
            if step["status"] == "ok":
                return ""
            return events.recovery_text(self.resident.call("suggest_next_step", episode_id=turn.episode_id, limit=1))

    def stop(self, event: "Event") -> str:
        """Keep what the agent said; complete the episode when a test or build run shows how it went."""
        with turn_of(self.folder, _session(event)) as turn:
            turn.answer = clip(str(event.get("last_assistant_message") or turn.answer), limits.MAX_NOTE_CHARS)
            if not turn.check or not turn.step_count:
                return ""

            def complete(link: "Link") -> str:
                self._finish(link, turn, event)
                return ""

            return self._with_link(complete)

    def session_end(self, event: "Event") -> str:
        """Complete what is open."""
        with turn_of(self.folder, _session(event)) as turn:
            if not turn.step_count:
                return ""

            def complete(link: "Link") -> str:
                self._finish(link, turn, event)
                return ""

            return self._with_link(complete)

    def project_of(self, event: "Event") -> str:
        """Return the project: the configured one, else the name of the folder the agent works in."""
        return self.project or _last_part(str(event.get("cwd") or "")) or "default"

    def _with_link(self, use: "Callable[[Link], str]") -> str:
        """Use the resident server; without one, or when what listens there does not serve, the memory opened here."""
        if self.resident is not None:
            try:
                return use(self.resident)
            except StoreUnavailable as error:
                print(f"mcp-memory hook: {error.message}; the memory is opened here instead", file=sys.stderr)
        with self.own() as link:
            return use(link)

    def _flush(self, link: "Link", turn: Turn, event: "Event") -> None:
        """Write the steps that wait, beginning the episode with the first."""
        if turn.waiting and not turn.episode_id:
            started = link.call(
                "start_episode",
                task=turn.prompt,
                agent="claude-code",
                project=self.project_of(event),
                recall=False,
                metadata={"session_id": _session(event), "recorded_by": "hook"},
            )
            turn.episode_id = started["episode_id"]
        while turn.waiting:
            batch = turn.waiting[: limits.MAX_STEPS_PER_CALL]
            link.call("log_steps", episode_id=turn.episode_id, steps=batch)
            del turn.waiting[: len(batch)]

    def _finish(self, link: "Link", turn: Turn, event: "Event") -> None:
        """Complete the turn's episode. The outcome is what the last check showed, else partial, and either way marked as inferred."""
        if not turn.step_count:
            return
        self._flush(link, turn, event)
        if turn.check:
            outcome = "success" if turn.check_passed else "failure"
            mark = f"Outcome inferred: the last check, {turn.check}, {'passed' if turn.check_passed else 'failed'}."
        else:
            outcome, mark = "partial", UNSTATED
        summary = clip(f"{turn.answer}\n{mark}".strip(), limits.MAX_NOTE_CHARS)
        link.call("complete_episode", episode_id=turn.episode_id, outcome=outcome, summary=summary)
        turn.reset("")


def _last_part(path: str) -> str:
    """Return the folder's name of a path of any system."""
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _session(event: "Event") -> str:
    return str(event.get("session_id") or "unknown")
