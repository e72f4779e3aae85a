"""Pydantic AI: `RecordedToolset` around an agent's tools records each run as an episode, and tells the model what earlier runs say.

agent = Agent(model, toolsets=[RecordedToolset(FunctionToolset([search, edit]), memory)])
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from pydantic_ai import AgentRunResult, ModelRetry, RunContext, ToolFailed
from pydantic_ai.capabilities import AbstractCapability, WrapRunHandler
from pydantic_ai.messages import InstructionPart
from pydantic_ai.tools import AgentDepsT
from pydantic_ai.toolsets import AbstractToolset, ToolsetTool, WrapperToolset

from mcp_memory.adapters.agent_session import AgentSession, Memory

HOST = "pydantic-ai"


@dataclass
class _Run:
    """What a run has told, shared by the copies of its toolset that the framework makes."""

    session: AgentSession
    advice: str = ""
    error: Exception | None = None
    is_capabilitys: bool = False  # who begins and ends it


@dataclass
class RecordedToolset(WrapperToolset[AgentDepsT], Generic[AgentDepsT]):
    """Tools whose calls are the steps of an episode: one a run, begun with its first call. Any number of runs at a time.

    What earlier runs say about the prompt stands in the instructions; what got others on after an error is added to the `ModelRetry` or
    `ToolFailed` that tells it. A run that a tool's exception ended is a failure; how others went is inferred, or said with `memory.label`.
    """

    memory: Memory
    project: str = ""
    run: _Run | None = None

    async def for_run(self, ctx: RunContext[AgentDepsT]) -> AbstractToolset[AgentDepsT]:
        run = self.run
        if run is None:
            run = _begun(self.memory, self.project)
            run.advice = await run.session.prompt(_text_of(ctx.prompt))
        return replace(self, wrapped=await self.wrapped.for_run(ctx), run=run)

    async def __aexit__(self, *args: Any) -> bool | None:
        try:
            return await super().__aexit__(*args)
        finally:
            if self.run is not None and not self.run.is_capabilitys:
                await self.run.session.end(self.run.error or args[1])

    async def get_instructions(self, ctx: RunContext[AgentDepsT]) -> str | InstructionPart | Sequence[str | InstructionPart] | None:
        given = await super().get_instructions(ctx)
        others = [given] if isinstance(given, str | InstructionPart) else list(given or ())
        return [*others, self.run.advice] if self.run is not None and self.run.advice else given

    async def call_tool(self, name: str, tool_args: dict[str, Any], ctx: RunContext[AgentDepsT], tool: ToolsetTool[AgentDepsT]) -> Any:
        if self.run is None:
            return await super().call_tool(name, tool_args, ctx, tool)
        session, began = self.run.session, time.perf_counter()
        try:
            result = await super().call_tool(name, tool_args, ctx, tool)
        except (ModelRetry, ToolFailed) as error:
            if told := await session.step(name, tool_args, error=error.message, duration_ms=_since(began)):
                raise type(error)(f"{error.message}\n\n{told}") from error
            raise
        except Exception as error:
            self.run.error = error
            await session.step(name, tool_args, error=f"{type(error).__name__}: {error}", duration_ms=_since(began))
            raise
        response = result if isinstance(result, str | dict | list) else str(result)
        await session.step(name, tool_args, response=response, duration_ms=_since(began))
        return result


@dataclass
class RecordedRuns(AbstractCapability[AgentDepsT], Generic[AgentDepsT]):
    """All tools of an agent recorded as by `RecordedToolset`, the answer as the summary, and a run that raises as a failure."""

    memory: Memory
    project: str = ""
    run: _Run | None = field(default=None, repr=False)

    async def for_run(self, ctx: RunContext[AgentDepsT]) -> AbstractCapability[AgentDepsT]:
        return replace(self, run=_begun(self.memory, self.project, is_capabilitys=True))

    def get_wrapper_toolset(self, toolset: AbstractToolset[AgentDepsT]) -> AbstractToolset[AgentDepsT] | None:
        return RecordedToolset(toolset, self.memory, self.project, self.run)

    async def wrap_run(self, ctx: RunContext[AgentDepsT], *, handler: WrapRunHandler) -> AgentRunResult[Any]:
        assert self.run is not None, "the framework asks `for_run` first"
        self.run.advice = await self.run.session.prompt(_text_of(ctx.prompt))
        try:
            result = await handler()
        except BaseException as error:
            await self.run.session.end(error)
            raise
        await self.run.session.stop(str(result.output))
        await self.run.session.end()
        return result


def _begun(memory: Memory, project: str, *, is_capabilitys: bool = False) -> _Run:
    return _Run(AgentSession(memory, HOST, project=project or memory.project), is_capabilitys=is_capabilitys)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _text_of(prompt: Any) -> str:
    """Return the words of a prompt; pictures and files of one have none."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(part for part in prompt or () if isinstance(part, str))
