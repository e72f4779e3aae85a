"""A session of an agent, told to the memory as agent hosts tell theirs through hooks: what a turn is, how it ended, what is secret and what
is told back is decided there, once for all.
"""

import logging
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any, TypeVar

import anyio.to_thread
from uuid_utils import uuid7

from mcp_memory.errors import McpMemoryError
from mcp_memory.hooks.events import record_of
from mcp_memory.hooks.intake import Hooks
from mcp_memory.hooks.processes import own_process
from mcp_memory.hooks.spooling import redacted
from mcp_memory.hooks.wire import folder_of
from mcp_memory.memory import EpisodicMemory
from mcp_memory.rendering.on_one_line import one_line
from mcp_memory.sync_memory import SyncMemory

T = TypeVar("T")
WARNED_CHARS = 400  # of a warning: it quotes an error
Memory = EpisodicMemory | SyncMemory
logger = logging.getLogger(__name__)


class AgentSession:
    """One session: prompts, the steps that follow each, and its end. A prompt with steps becomes an episode, mere talk leaves nothing.

    Nothing here raises because of the memory: what it could not take is logged as a warning, and the agent goes on.
    Not for several prompts at once; sessions of different ids are independent of each other.
    """

    def __init__(self, memory: Memory, host: str, session_id: str = "", *, project: str = "", folder: str = "") -> None:
        """Take a memory that is open in the agent's event loop, or a synchronous one.

        Args:
            memory: Where it is recorded.
            host: The framework; it becomes the `agent` of what is recorded.
            session_id: Of a conversation with several prompts: what a person writes next tells how the task before went. "": a new one.
            project: Where it is recorded; "": the folder tells.
            folder: Where the agent works; files are told relative to it. "": where this process does.
        """
        self._memory, self._host, self._project = memory, host, project
        self.id = session_id or str(uuid7())
        self._told = {"session_id": self.id, "cwd": folder or os.getcwd()}
        self.episode_id = ""  # of the task at hand, or of the last one: for `memory.label`

    async def prompt(self, text: str) -> str:
        """Begin a task; return what earlier attempts say about it, "" where nothing is close."""
        return await self.tell("user-prompt-submit", {"prompt": text})

    async def step(
        self, tool: str, arguments: Any, *, response: Any = None, error: str | None = None, duration_ms: float | None = None
    ) -> str:
        """Record a call of a tool; return what got others on after the error it met, "" where it met none or nobody knows."""
        told = {"tool_name": tool, "tool_input": arguments, "tool_response": response, "error": error, "duration_ms": duration_ms}
        return await self.tell("post-tool-use", {name: value for name, value in told.items() if value is not None})

    async def warning(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Return how such a call failed before, "" where it did not. It can tell from the second step of a task on."""
        if not (episode_id := self.episode_id):
            return ""

        async def asked(memory: EpisodicMemory) -> str:
            intended = {"tool": tool, "arguments": dict(arguments)}
            found = (await memory.suggest_next_step(episode_id, limit=1, intended=intended)).warnings
            said = [w.message + (f"; instead: {w.instead}" if w.instead else "") for w in found[:1]]
            return "".join(f"From earlier runs (records, not instructions): {one_line(text)[:WARNED_CHARS]}" for text in said)

        return await self._safely(asked, "")

    async def stop(self, answer: str) -> None:
        """Note that the agent has answered. How it went is inferred from a test that ran, else from what the person writes next."""
        await self.tell("stop", {"last_assistant_message": answer})

    async def end(self, error: BaseException | None = None) -> None:
        """Complete what is open. An error that ended the run is recorded as a step, and the episode as a failure."""
        failed = error if isinstance(error, Exception) else None  # a cancellation says nothing about the work
        if failed is not None and self.episode_id:
            await self.step("run", {}, error=f"{type(failed).__name__}: {failed}")
        await self.tell("session-end", {})
        if failed is not None and (episode_id := self.episode_id):
            await self._safely(lambda memory: memory.label(episode_id, "failure"), None)

    async def tell(self, event: str, told: Mapping[str, Any]) -> str:
        """Tell an event in Claude Code's words, the session's id and folder left out; return what the agent should be told."""
        made = partial(record_of, event, self._told | dict(told), call_id=str(uuid7()), project=self._project)
        at_ms = time.time_ns() // 1_000_000

        async def handled(memory: EpisodicMemory) -> str:
            hooks = Hooks(memory, folder_of(memory.config.data_dir))
            record = made(at_ms=at_ms, host=self._host, process=own_process())
            text, episode_id = await hooks.handle(redacted(record) if memory.config.server.redact else record)
            if event == "user-prompt-submit":
                self.episode_id = ""
                await hooks.finish(self.id)
            elif not told.get("agent_id"):  # a subagent's steps are an episode of their own
                self.episode_id = episode_id or self.episode_id
            return text

        return await self._safely(handled, "")

    async def _safely(self, work: Callable[[EpisodicMemory], Coroutine[Any, Any, T]], otherwise: T) -> T:
        """Do *work* where the memory lives."""
        try:
            if isinstance(self._memory, SyncMemory):
                return await anyio.to_thread.run_sync(self._memory.run, work)
            return await work(self._memory)
        except (McpMemoryError, OSError) as error:
            logger.warning("session %s of %s: not recorded: %s", self.id, self._host or "claude-code", error)
            return otherwise
