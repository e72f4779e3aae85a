"""MCP Apps: for clients that show them, the tool that reads an attempt has a view, and its result what the view shows.

The extension: https://github.com/modelcontextprotocol/ext-apps, specification/2026-01-26/apps.mdx.
"""

import logging
from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext

from mcp_memory.errors import McpMemoryError
from mcp_memory.server.outputs import Json

if TYPE_CHECKING:
    from mcp_memory.server.memory_protocol import Memory

EXTENSION, MIME_TYPE = "io.modelcontextprotocol/ui", "text/html;profile=mcp-app"
SCHEME, ATTEMPT = "ui://", "ui://memory/attempt"
VIEWED = {"get_episode": ATTEMPT}  # tools, and the view of each
VIEW = "io.github.mcp-memory/view"  # in a result's `_meta`, which models are not shown; `pages/static/app.js` reads it
MAX_VIEW_CHARS = 400_000
logger = logging.getLogger(__name__)


def are_shown(ctx: ServerRequestContext[Any, Any]) -> bool:
    """Return whether the client declared that it shows views of our kind."""
    capabilities = ctx.session.client_capabilities
    declared = (capabilities.extensions or {}).get(EXTENSION) if capabilities is not None else None
    types = declared.get("mimeTypes") if isinstance(declared, dict) else None
    return isinstance(types, list) and MIME_TYPE in types


def listed(listing: dict[str, Json]) -> dict[str, Json]:
    """Return the entry of a tool in `tools/list`, with its view where it has one."""
    uri = VIEWED.get(listing["name"])
    return listing | {"_meta": listing["_meta"] | {"ui": {"resourceUri": uri}}} if uri else listing


def resource(address: str) -> dict[str, Json]:
    """Return the contents of a view for `resources/read`. Nothing of the memory is in it. Raises KeyError: there is no such view."""
    if address not in VIEWED.values():
        raise KeyError(address)
    from mcp_memory.pages import app

    return {"uri": address, "mimeType": MIME_TYPE, "text": app.page(), "_meta": {"ui": {"csp": {}, "prefersBorder": True}}}


async def with_view(memory: "Memory", result: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a tool that has a view with what the view shows; as it is, where that cannot be made: its text says all."""
    from mcp_memory.pages import app

    data = result["structuredContent"]
    steps = data.get("steps") or [{}]
    try:
        shown = await app.view(memory, data["episode_id"], steps[0].get("index", 0))
    except McpMemoryError as error:
        logger.warning("the view of an attempt: %s", error.line())
        return result
    return result | {"_meta": {VIEW: shown}} if len(shown) <= MAX_VIEW_CHARS else result
