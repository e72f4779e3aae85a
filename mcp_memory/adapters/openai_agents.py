"""OpenAI Agents SDK: `MemoryHooks` records runs as episodes, and gives the model what earlier runs say.

async with MemoryHooks(memory) as hooks:
    await Runner.run(agent, "…", hooks=hooks, run_config=hooks.run_config())
"""

import time
from types import TracebackType
from typing import Any, Self

from agents import Agent, AgentHookContext, RunConfig, RunContextWrapper, RunHooks, Tool
from agents.run_config import CallModelData, ModelInputData, ToolErrorFormatterArgs
from agents.tool_context import ToolContext

from mcp_memory.adapters.agent_session import AgentSession, Memory

HOST = "openai-agents"


class MemoryHooks(RunHooks[Any]):
    """Hooks for one run after the other; runs at the same time need hooks of their own.

    As a context manager they also record a run that raised, which the SDK tells no hook: as a failure with its error. Without it, what
    such a run left open is completed by the next one.
    """

    def __init__(self, memory: Memory, session_id: str = "", *, project: str = "") -> None:
        """Take an open memory, and a conversation's id where the runs are one: its next prompt then tells how the run before went."""
        self._session = AgentSession(memory, HOST, session_id, project=project or memory.project)
        self._is_conversation = bool(session_id)
        self._is_running = False
        self._advice: list[str] = []
        self._started: dict[str, float] = {}
        self._errors: dict[str, str] = {}

    @property
    def episode_id(self) -> str:
        """The latest run's episode, for `memory.label`; "" until its first step."""
        return self._session.episode_id

    def run_config(self, **others: Any) -> RunConfig:
        """Return a run's settings, with *others* of RunConfig, under which the model is told, and the memory hears what tools raised."""
        return RunConfig(call_model_input_filter=self._advise, tool_error_formatter=self._note_error, **others)

    async def on_agent_start(self, context: AgentHookContext[Any], agent: Agent[Any]) -> None:
        if self._is_running:  # a handoff: the task is the same
            return
        self._is_running, self._started, self._errors = True, {}, {}
        self._advice = [await self._session.prompt(_prompt_of(context.turn_input))]

    async def on_tool_start(self, context: RunContextWrapper[Any], agent: Agent[Any], tool: Tool) -> None:
        self._started[_call_of(context, tool)] = time.perf_counter()

    async def on_tool_end(self, context: RunContextWrapper[Any], agent: Agent[Any], tool: Tool, result: object) -> None:
        call = _call_of(context, tool)
        began = self._started.pop(call, None)
        told = await self._session.step(
            tool.name,
            context.tool_arguments if isinstance(context, ToolContext) else {},
            response=result if isinstance(result, str | dict | list) else str(result),
            error=self._errors.pop(call, None),
            duration_ms=None if began is None else (time.perf_counter() - began) * 1000,
        )
        self._advice = [self._advice[0], told] if self._advice else [told]  # the task's, and that of the latest error

    async def on_agent_end(self, context: AgentHookContext[Any], agent: Agent[Any], output: Any) -> None:
        self._is_running = False
        await self._session.stop(str(output))
        if not self._is_conversation:
            await self._session.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_running:
            await self._session.end(error)
        elif self._is_conversation:
            await self._session.end()
        self._is_running = False

    async def _advise(self, data: CallModelData[Any]) -> ModelInputData:
        instructions = "\n\n".join(part for part in (data.model_data.instructions, *self._advice) if part)
        return ModelInputData(input=data.model_data.input, instructions=instructions or None)

    def _note_error(self, args: ToolErrorFormatterArgs[Any]) -> None:
        """Keep what a tool raised: the SDK tells hooks and models a fixed sentence instead."""
        if args.error is not None:
            self._errors[args.call_id] = f"{type(args.error).__name__}: {args.error}"


def _prompt_of(items: list[Any]) -> str:
    """Return what the person asked for last."""
    said = [item.get("content") for item in items if isinstance(item, dict) and item.get("role") == "user"]
    content = said[-1] if said else ""
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and part.get("text"))
    return str(content or "")


def _call_of(context: RunContextWrapper[Any], tool: Tool) -> str:
    return context.tool_call_id if isinstance(context, ToolContext) else tool.name
