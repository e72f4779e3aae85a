"""The named tools, resources and prompts the MCP conformance suite asks a server to have, added to our own server for a test run.

They are served through the product's stack (the same handlers table, HTTP app, guard and error paths), so the suite exercises that stack.
`python -m tests.conformance.fixtures PORT`
"""

import json
import logging
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as types
import uvicorn
from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPDeprecationWarning

from mcp_memory.config import Config, ServerConfig
from mcp_memory.server.app import App, build_server
from mcp_memory.server.auth import Authentication
from mcp_memory.server.http import http_app
from mcp_memory.server.lifecycle import MemoryHost
from tests.conformance.contents import NO_ARGUMENTS, PROMPTS, RESOURCES, RICH_SCHEMA, TEMPLATE, text
from tests.conformance.fixture_tools import TOOLS
from tests.conformance.rounds import ROUND_TOOLS, round_prompt
from tests.unit.server.fake_memory import open_fake

Handler = Callable[..., Awaitable[Any]]


def with_fixtures(app: App) -> App:
    """Return *app* with the suite's fixtures in front of its own handlers."""
    handlers: dict[str, Any] = {
        method: entry.handler for method in METHODS if (entry := app.server.get_request_handler(method)) is not None
    }
    bus = app.updates._bus

    async def list_tools(ctx: Any, params: Any) -> Any:
        listed = await handlers["tools/list"](ctx, params)
        names = [*TOOLS, *ROUND_TOOLS, "test_trigger_tool_change", "test_trigger_prompt_change"]
        extra = [{"name": name, "description": f"Conformance fixture {name}", "inputSchema": NO_ARGUMENTS} for name in names]
        return listed | {"tools": listed["tools"] + extra + [RICH_SCHEMA]}

    async def call_tool(ctx: Any, params: types.CallToolRequestParams) -> Any:
        if params.name in TOOLS:
            return await TOOLS[params.name](ctx, params.arguments or {})
        if params.name in ROUND_TOOLS:
            return ROUND_TOOLS[params.name](ctx, params)
        if params.name == "test_trigger_tool_change":
            await bus.publish(ToolsListChanged())
            return text("announced")
        if params.name == "test_trigger_prompt_change":
            await bus.publish(PromptsListChanged())
            return text("announced")
        return await handlers["tools/call"](ctx, params)

    async def list_resources(ctx: Any, params: Any) -> Any:
        listed = await handlers["resources/list"](ctx, params)
        return listed | {"resources": listed["resources"] + [{"uri": uri, "name": uri} for uri in RESOURCES]}

    async def list_templates(ctx: Any, params: Any) -> Any:
        listed = await handlers["resources/templates/list"](ctx, params)
        return listed | {
            "resourceTemplates": [*listed["resourceTemplates"], {"uriTemplate": "test://template/{id}/data", "name": "template"}]
        }

    async def read_resource(ctx: Any, params: types.ReadResourceRequestParams) -> Any:
        uri = str(params.uri)
        if match := TEMPLATE.fullmatch(uri):
            content = {"mimeType": "application/json", "text": json.dumps({"id": match[1], "templateTest": True, "data": match[1]})}
        elif uri in RESOURCES:
            content = RESOURCES[uri]
        else:
            return await handlers["resources/read"](ctx, params)
        return {"contents": [{"uri": uri, **content}], "ttlMs": 0, "cacheScope": "private", "resultType": "complete"}

    async def list_prompts(ctx: Any, params: Any) -> Any:
        listed = await handlers["prompts/list"](ctx, params)
        extra = [_prompt(name, needs) for name, (needs, _) in PROMPTS.items()]
        return listed | {"prompts": [*listed["prompts"], *extra, _prompt("test_input_required_result_prompt", ())]}

    async def get_prompt(ctx: Any, params: types.GetPromptRequestParams) -> Any:
        if params.name == "test_input_required_result_prompt":
            return round_prompt(params)
        if params.name not in PROMPTS:
            return await handlers["prompts/get"](ctx, params)
        _, messages = PROMPTS[params.name]
        contents = messages(params.arguments or {})
        return {"messages": [{"role": "user", "content": content} for content in contents], "resultType": "complete"}

    async def set_level(ctx: Any, params: Any) -> Any:
        return {}

    ours: tuple[Handler, ...] = (list_tools, call_tool, list_resources, list_templates, read_resource, list_prompts, get_prompt)
    for (method, params_type), handler in zip(METHODS.items(), ours, strict=True):
        app.server.add_request_handler(method, params_type, handler)
    app.server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, set_level)
    app.server.get_tool_input_schema = None
    return app


def _prompt(name: str, needs: tuple[str, ...]) -> dict[str, Any]:
    arguments = [{"name": argument, "description": f"Fixture argument {argument}", "required": True} for argument in needs]
    return {"name": name, "description": f"Conformance fixture {name}", "arguments": arguments}


METHODS: dict[str, Any] = {
    "tools/list": types.PaginatedRequestParams,
    "tools/call": types.CallToolRequestParams,
    "resources/list": types.PaginatedRequestParams,
    "resources/templates/list": types.PaginatedRequestParams,
    "resources/read": types.ReadResourceRequestParams,
    "prompts/list": types.PaginatedRequestParams,
    "prompts/get": types.GetPromptRequestParams,
}


def main(port: int) -> None:
    """Serve the fixtures until a signal comes."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    warnings.simplefilter("ignore", MCPDeprecationWarning)  # the suite tests deprecated features too
    config = Config(server=ServerConfig(port=port))
    host = MemoryHost(config, open_fake)  # type: ignore[arg-type]
    app = with_fixtures(build_server(host, "full"))
    uvicorn.run(http_app(app, host, Authentication(config.server)), port=port, log_config=None, timeout_graceful_shutdown=2)


if __name__ == "__main__":
    main(int(sys.argv[1]))
