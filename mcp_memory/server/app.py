"""`build_server(host)`: the MCP server, the same on every transport and in both protocol eras."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp_types import CallToolRequestParams, PaginatedRequestParams
from mcp_types.methods import CacheableMethod

from mcp_memory.server import tools
from mcp_memory.server.calling import Caller, Context
from mcp_memory.server.instructions import INSTRUCTIONS
from mcp_memory.server.lifecycle import MemoryHost

NAME = "memory"
_LISTS_TTL_MS = 3_600_000  # the lists change only with a new version of the program
_CACHE_HINTS: dict[CacheableMethod, CacheHint] = {
    "tools/list": CacheHint(_LISTS_TTL_MS, "public"),
    "server/discover": CacheHint(_LISTS_TTL_MS, "public"),
}


@dataclass(frozen=True)
class App:
    """The server, and what a transport needs of it besides."""

    server: Server[None]
    close_streams: Callable[[], None]  # ends open listen streams, so that a shutdown does not wait for them


def build_server(host: MemoryHost, tool_set: str) -> App:
    """Return the server for a tool set, `core` or `full`. Nothing of the memory is loaded by this."""
    offered = tools.by_name(tool_set)

    async def list_tools(ctx: Context, params: PaginatedRequestParams | None) -> dict[str, Any]:
        return {"tools": [tool.listing for tool in offered.values()], "resultType": "complete"}

    server: Server[None] = Server(
        NAME,
        version=program_version(),
        title="Episodic memory",
        description="Remembers what an agent tried, what came of it, and what helps next time.",
        instructions=INSTRUCTIONS,
        cache_hints=_CACHE_HINTS,
        lifespan=_no_lifespan,
        get_tool_input_schema=lambda name: offered[name].input_schema if name in offered else None,
    )
    server.add_request_handler("tools/list", PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", CallToolRequestParams, Caller(host, offered))
    return App(server, lambda: None)


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
