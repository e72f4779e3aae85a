"""`build_server(host)`: the MCP server, the same on every transport and in both protocol eras."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp_types.methods import CacheableMethod
from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

from mcp_memory.server import apps, tools
from mcp_memory.server.auditing import AuditLog, audited, ids_of_prompt, ids_of_resource
from mcp_memory.server.calling import Caller, Context
from mcp_memory.server.completing import Completer
from mcp_memory.server.instructions import INSTRUCTIONS
from mcp_memory.server.lifecycle import MemoryHost
from mcp_memory.server.prompts import Prompts
from mcp_memory.server.resources import Resources, require_first_page
from mcp_memory.server.updating import Updates, require_unbound

NAME = "memory"
_LISTS_TTL_MS = 3_600_000  # the lists change only with a new version of the program
_CACHED: tuple[CacheableMethod, ...] = ("tools/list", "prompts/list", "resources/list", "resources/templates/list", "server/discover")


@dataclass(frozen=True)
class App:
    """The server, and what a transport needs of it besides."""

    server: Server[None]
    updates: Updates  # its `run` belongs into the transport's task group; `listen.close()` ends open streams at shutdown
    audit_log: AuditLog | None


def build_server(host: MemoryHost, tool_set: str, *, is_shared: bool = False) -> App:
    """Return the server for a tool set, `core` or `full`. Nothing of the memory is loaded by this."""
    offered = tools.by_name(tool_set)
    updates = Updates()
    host.on_open(updates.follow)

    async def list_tools(ctx: Context, params: types.PaginatedRequestParams) -> dict[str, Any]:
        require_first_page(params)
        if not apps.are_shown(ctx):
            return {"tools": [dict(tool.listing) for tool in offered.values()], "resultType": "complete"}
        listed = [apps.listed(tool.listing) for tool in offered.values()]
        return {"tools": listed, "resultType": "complete", "cacheScope": "private"}  # of clients that show views, not of everybody

    async def listen(ctx: Context, params: types.SubscriptionsListenRequestParams) -> Any:
        require_unbound(ctx)
        return await updates.listen(ctx, params)

    server: Server[None] = Server(
        NAME,
        version=program_version(),
        title="Episodic memory",
        description="Remembers what an agent tried, what came of it, and what helps next time.",
        instructions=INSTRUCTIONS,
        cache_hints={m: CacheHint(_LISTS_TTL_MS, "public") for m in _CACHED},
        lifespan=_no_lifespan,
        get_tool_input_schema=lambda name: offered[name].input_schema if name in offered else None,
        on_subscriptions_listen=listen,
    )
    if host.config.server.traces == "off" and isinstance(get_tracer_provider(), ProxyTracerProvider):
        server.middleware.clear()  # the library's spans, which nobody would get: they take a tenth of the time of a short call
    log = AuditLog(host.config.server.audit_log) if host.config.server.audit_log else None
    tell = _traced(host)
    resources, prompts, caller = Resources(host), Prompts(host), Caller(host, offered, log, is_shared=is_shared, tell=tell)
    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, caller)
    server.add_request_handler("resources/list", types.PaginatedRequestParams, resources.list)
    server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, resources.list_templates)
    server.add_request_handler(
        "resources/read", types.ReadResourceRequestParams, audited(log, "resources/read", resources.read, ids_of_resource)
    )
    server.add_request_handler("resources/subscribe", types.SubscribeRequestParams, updates.subscribe)
    server.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, updates.unsubscribe)
    server.add_request_handler("prompts/list", types.PaginatedRequestParams, prompts.list)
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, audited(log, "prompts/get", prompts.get, ids_of_prompt))
    server.add_request_handler("completion/complete", types.CompleteRequestParams, Completer(host))
    return App(server, updates, log)


def _traced(host: MemoryHost) -> Callable[[str], None] | None:
    """Begin to make spans where the settings ask for them; return what tells a call's span how it went. Raises ConfigError: no library."""
    if host.config.server.traces == "off":
        return None
    from mcp_memory.server.tracing import Tracing

    tracing = Tracing(program_version())
    host.on_open(lambda memory: tracing.follow(memory.metrics))
    return tracing.tell


def program_version() -> str:
    """Return the installed version; "0" when run from a source tree that was never installed."""
    try:
        return version("mcp-episodic-memory")
    except PackageNotFoundError:
        return "0"


@asynccontextmanager
async def _no_lifespan(server: Server[None]) -> AsyncIterator[None]:
    """The memory belongs to the process: SSE enters the SDK's lifespan once per connection."""
    yield None
