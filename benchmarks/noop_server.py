"""The floor: the SDK's low-level server on its own stdio transport, and one tool that does nothing (`python -m benchmarks.noop_server`)."""

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool


async def list_tools(ctx, params):  # type: ignore[no-untyped-def]
    return ListToolsResult(tools=[Tool(name="noop", input_schema={"type": "object"})])


async def call_tool(ctx, params):  # type: ignore[no-untyped-def]
    return CallToolResult(content=[TextContent(type="text", text="{}")], structured_content={})


async def main() -> None:
    server = Server("noop", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read_stream, write_stream):
        await server.run(read_stream, write_stream, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(main)
