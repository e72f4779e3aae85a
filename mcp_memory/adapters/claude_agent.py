"""Claude Agent SDK: `MemoryHooks` records every prompt with tool calls as an episode, and tells the model what earlier sessions say.

    async with MemoryHooks(memory) as hooks, ClaudeSDKClient(ClaudeAgentOptions(hooks=hooks.matchers())) as client:
        ...

The SDK's sessions are Claude Code's, and so are their names here: `mcp-memory import` and the hooks that `mcp-memory install` writes know
them again. Use either those hooks or these: both at once would record each step twice.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, cast

from claude_agent_sdk import HookMatcher
from claude_agent_sdk.types import HookCallback, HookContext, HookEvent, HookInput, HookJSONOutput

from mcp_memory.adapters.agent_session import AgentSession, Memory

HOST = ""  # Claude Code, without the event that ends a round of calls: the SDK has none
MAX_SESSIONS = 1_000  # at once; the one that was begun first is ended then
_EVENTS: Mapping[str, str] = {
    "UserPromptSubmit": "user-prompt-submit",
    "PostToolUse": "post-tool-use",
    "PostToolUseFailure": "post-tool-use",
    "SubagentStop": "subagent-stop",
    "Stop": "stop",
}


class MemoryHooks:
    """Hooks for any number of clients and queries. The SDK does not tell when a session ends: leaving the block ends them."""

    def __init__(self, memory: Memory, *, project: str = "") -> None:
        """Take an open memory, and where to record; "" means by the folder the agent works in, as the hooks of Claude Code do."""
        self._memory, self._project = memory, project
        self._sessions: dict[str, AgentSession] = {}

    def matchers(self) -> dict[HookEvent, list[HookMatcher]]:
        """Return the hooks for `ClaudeAgentOptions.hooks`; others can be added to the lists."""
        told = {name: [HookMatcher(hooks=[cast(HookCallback, self._told)])] for name in _EVENTS}
        return cast(dict[HookEvent, list[HookMatcher]], told | {"PreToolUse": [HookMatcher(hooks=[cast(HookCallback, self._warned)])]})

    def episode_id(self, session_id: str) -> str:
        """Return the episode of a session's latest task, for `memory.label`; "" until its first step."""
        return self._sessions[session_id].episode_id if session_id in self._sessions else ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        while self._sessions:
            await self._sessions.pop(next(iter(self._sessions))).end()

    async def _told(self, given: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        told = cast(dict[str, Any], given)
        session = await self._session(told)
        return _answer(told, await session.tell(_EVENTS[told["hook_event_name"]], told))

    async def _warned(self, given: HookInput, tool_use_id: str | None, context: HookContext) -> HookJSONOutput:
        """Say how such a call failed before. It is neither allowed nor refused by that."""
        told = cast(dict[str, Any], given)
        session = await self._session(told)
        return _answer(told, "" if told.get("agent_id") else await session.warning(told["tool_name"], told["tool_input"]))

    async def _session(self, told: Mapping[str, Any]) -> AgentSession:
        name = told["session_id"]
        if name not in self._sessions:
            if len(self._sessions) >= MAX_SESSIONS:
                await self._sessions.pop(next(iter(self._sessions))).end()
            self._sessions[name] = AgentSession(self._memory, HOST, name, project=self._project, folder=told.get("cwd", ""))
        return self._sessions[name]


def _answer(told: Mapping[str, Any], text: str) -> HookJSONOutput:
    if not text:
        return {}
    return cast(HookJSONOutput, {"hookSpecificOutput": {"hookEventName": told["hook_event_name"], "additionalContext": text}})
