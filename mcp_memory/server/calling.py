"""`tools/call`: check, ask, answer. Everything between the wire and one method of the facade, in one place."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams

from mcp_memory.rendering import render
from mcp_memory.rendering.on_one_line import one_line
from mcp_memory.server import apps, fitting
from mcp_memory.server.allowance import Allowance
from mcp_memory.server.auditing import REFUSED, AuditLog, caller_of, who
from mcp_memory.server.confirming import Confirmation
from mcp_memory.server.errors import code_of, error_result
from mcp_memory.server.lifecycle import MemoryHost
from mcp_memory.server.outputs import Json
from mcp_memory.server.registry import Tool
from mcp_memory.server.workspace import Workspace

if TYPE_CHECKING:
    from mcp_memory.domain.requests import Request
    from mcp_memory.server.memory_protocol import Memory

PROGRESS_AFTER_S = 1.0
logger = logging.getLogger(__name__)
Context = ServerRequestContext[Any, Any]


class Caller:
    """Serves `tools/call` for a set of tools."""

    def __init__(
        self,
        host: MemoryHost,
        tools: Mapping[str, Tool],
        log: AuditLog | None = None,
        *,
        is_shared: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        """Take the tools and where to note calls.

        Args:
            host: Opens the memory.
            tools: By name.
            log: Where calls are noted.
            is_shared: Clients come by the network, so that this process's working directory is not theirs.
            tell: Called after every call, within it, with how it went: `ok`, or the error's code.
        """
        self._host, self._tools, self._tell = host, tools, tell
        self._timeout_s = host.config.server.tool_timeout_ms / 1000
        self._audit = log
        self._allowance = Allowance(host.config.server.calls_per_minute)
        self._workspace = Workspace(host.config, is_shared=is_shared)

    async def __call__(self, ctx: Context, params: CallToolRequestParams) -> dict[str, Any]:
        """Return the result of one call; what the agent can act on comes back as `isError`.

        Raises:
            MCPError: There is no such tool.
        """
        tool = self._tools.get(params.name)
        if tool is None:
            if self._audit is not None:
                self._audit.record(who(ctx), "(unknown tool)", {}, REFUSED, 0.0)
            raise MCPError(code=INVALID_PARAMS, message=one_line(f"Unknown tool: {params.name}"))
        started = time.perf_counter()
        result = None
        try:
            result = await self._result(ctx, params, tool)
            return result
        finally:  # a cancelled call is recorded too: what it had queued is still written
            if self._audit is not None:
                self._audit.record(who(ctx), tool.name, params.arguments, result, (time.perf_counter() - started) * 1000)

    async def _result(self, ctx: Context, params: CallToolRequestParams, tool: Tool) -> dict[str, Any]:
        try:
            self._allowance.take(who(ctx))
            asked = tool.read(params.arguments)
            with anyio.fail_after(self._timeout_s), _Progress(ctx, tool.name):
                result = await self._answer(ctx, params, tool, asked)
        except Exception as error:
            if self._tell is not None:
                self._tell(code_of(error))
            return error_result(tool.name, error)
        if self._tell is not None:
            self._tell("ok")
        return result

    async def _answer(self, ctx: Context, params: CallToolRequestParams, tool: Tool, asked: "Request") -> dict[str, Any]:
        memory = await self._host.memory()
        with memory.working_in(await self._workspace.project(ctx, memory), caller_of(ctx)):
            return await self._answered(ctx, params, tool, asked, memory)

    async def _answered(
        self, ctx: Context, params: CallToolRequestParams, tool: Tool, asked: "Request", memory: "Memory"
    ) -> dict[str, Any]:
        if tool.asks_user and not getattr(asked, "confirm", False):
            confirmation = Confirmation(ctx, params)
            if confirmation.possible:
                return await confirmation.run(memory, tool, asked)
        data = await tool.call(memory, asked)
        text = render.text_of(data)
        while tool.limit_field and not fitting.fits(text):
            limit = getattr(asked, tool.limit_field)
            if limit <= 1:
                break
            asked = asked.but(**{tool.limit_field: fitting.smaller_limit(limit, text)})
            data = await tool.call(memory, asked) | {"truncated": True, "rest": _rest(tool)}
            text = render.text_of(data)
        result = tool_result(data, tool.lines(data, asked) if tool.lines and fitting.fits(text) else text)
        return await apps.with_view(memory, result) if tool.name in apps.VIEWED and apps.are_shown(ctx) else result


def tool_result(data: dict[str, Json], text: str | None = None) -> dict[str, Any]:
    """Return *data* as a tool result: structured, and as one compact text block of the same content. Cut where it is over the cap."""
    text = render.text_of(data) if text is None else text
    if not fitting.fits(text):
        data = fitting.shortened(data)
        text = render.text_of(data)
    content: list[Json] = [{"type": "text", "text": text}]
    if data.get("truncated") and isinstance(data.get("episode_id"), str):
        uri = f"memory://episode/{data['episode_id']}"
        content.append({"type": "resource_link", "uri": uri, "name": "The whole episode", "mimeType": "application/json"})
    return {"content": content, "structuredContent": data, "isError": False, "resultType": "complete"}


def _rest(tool: Tool) -> str:
    if tool.limit_field == "step_limit":
        return "Call again with step_from=next_step_from."
    return "Call again with cursor=next_cursor, or a smaller limit."


class _Progress:
    """While the block runs, reports progress every second from the first one on. Costs a timer; the client gets it if it asked for it."""

    def __init__(self, ctx: Context, name: str) -> None:
        self._ctx, self._name = ctx, name
        self._started = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(PROGRESS_AFTER_S, self._begin)

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._report())

    async def _report(self) -> None:
        try:
            while True:
                seconds = time.monotonic() - self._started
                await self._ctx.session.report_progress(round(seconds, 2), None, f"{self._name}: {seconds:.0f} s")
                await asyncio.sleep(PROGRESS_AFTER_S)
        except Exception as error:  # the client is gone; the call itself finds out
            logger.debug("progress of %s: %r", self._name, error)
