"""The conformance fixtures that are tools: contents, errors, logging, progress, and requests to the client in the older era."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from tests.conformance.contents import AUDIO, IMAGE, embedded, text

DELAY_S = 0.05  # the suite wants to see notifications arrive while the call is running
Run = Callable[[Any, dict[str, Any]], Awaitable[dict[str, Any]]]


def _always(*content: dict[str, Any], is_error: bool = False) -> Run:
    async def run(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"content": list(content), "isError": is_error, "resultType": "complete"}

    return run


async def _with_logging(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    for line in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.session.send_log_message("info", line, related_request_id=ctx.request_id)
        await anyio.sleep(DELAY_S)
    return text("Tool with logging executed successfully")


async def _with_progress(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    for progress in (0, 50, 100):
        await ctx.session.report_progress(progress, 100, f"{progress} of 100")
        await anyio.sleep(DELAY_S)
    return text("done")


async def _sampling(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    message = types.SamplingMessage(role="user", content=types.TextContent(type="text", text=arguments.get("prompt", "")))
    answer = await ctx.session.create_message([message], max_tokens=100, related_request_id=ctx.request_id)
    return text(f"LLM response: {getattr(answer.content, 'text', '')}")


def _asking(properties: dict[str, Any], message: str = "Please answer") -> Run:
    async def run(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
        schema = {"type": "object", "properties": properties}
        answer = await ctx.session.elicit_form(arguments.get("message", message), schema, related_request_id=ctx.request_id)
        return text(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")

    return run


async def _missing_capability(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    capabilities = ctx.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        data: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(code=types.MISSING_REQUIRED_CLIENT_CAPABILITY, message="The client must support sampling", data=data)
    return text("supported")


async def _streaming_elicitation(ctx: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    await ctx.session.report_progress(1, 2, "asking")
    form = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    request = {"method": "elicitation/create", "params": {"mode": "form", "message": "Your name?", "requestedSchema": form}}
    return {"resultType": "input_required", "inputRequests": {"name": request}}


def _titled(*values: str) -> list[dict[str, str]]:
    return [{"const": value, "title": f"Title of {value}"} for value in values]


_OPTIONS = ["option1", "option2", "option3"]
_DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
_ENUMS = {
    "untitledSingle": {"type": "string", "enum": _OPTIONS},
    "titledSingle": {"type": "string", "oneOf": _titled("value1", "value2", "value3")},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": _titled("value1", "value2", "value3")}},
}
_MIXED = embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json")

TOOLS: dict[str, Run] = {
    "test_simple_text": _always({"type": "text", "text": "This is a simple text response for testing."}),
    "test_image_content": _always(IMAGE),
    "test_audio_content": _always(AUDIO),
    "test_embedded_resource": _always(embedded("test://embedded-resource", "This is an embedded resource content.")),
    "test_multiple_content_types": _always({"type": "text", "text": "Multiple content types test:"}, IMAGE, _MIXED),
    "test_error_handling": _always({"type": "text", "text": "This tool intentionally returns an error for testing"}, is_error=True),
    "test_tool_with_logging": _with_logging,
    "test_logging_tool": _with_logging,
    "test_tool_with_progress": _with_progress,
    "test_sampling": _sampling,
    "test_elicitation": _asking({"response": {"type": "string"}}),
    "test_elicitation_sep1034_defaults": _asking(_DEFAULTS),
    "test_elicitation_sep1330_enums": _asking(_ENUMS),
    "test_missing_capability": _missing_capability,
    "test_streaming_elicitation": _streaming_elicitation,
}
