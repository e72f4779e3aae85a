"""Asking the person before something is deleted, where the client can: by a request in the older protocol, by a second round in the newer.

Where it cannot, the tool only counts, and says how to confirm.
"""

from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp_types import CallToolRequestParams, ElicitRequest, ElicitRequestFormParams, ElicitResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from mcp_memory.rendering import render
from mcp_memory.server.outputs import Json
from mcp_memory.server.registry import Tool

if TYPE_CHECKING:
    from mcp_memory.domain.requests import Request
    from mcp_memory.server.memory_protocol import Memory

_KEY = "confirm"
_ASKED: dict[str, Any] = {
    "type": "object",
    "properties": {"confirm": {"type": "boolean", "title": "Delete them", "description": "This cannot be undone."}},
    "required": ["confirm"],
}


class Confirmation:
    """One call that needs a person's word."""

    def __init__(self, ctx: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> None:
        self._ctx, self._params = ctx, params
        self._modern = ctx.protocol_version in MODERN_PROTOCOL_VERSIONS

    @property
    def possible(self) -> bool:
        """Whether this client can show a form."""
        capabilities = self._ctx.session.client_capabilities
        if capabilities is None or capabilities.elicitation is None:
            return False
        return self._modern or self._ctx.session.can_send_request

    async def run(self, memory: "Memory", tool: Tool, asked: "Request") -> dict[str, Any]:
        """Count, ask, and act on the answer. Anything but an explicit yes leaves it at counting."""
        if self._modern and self._params.input_responses:
            answer = self._params.input_responses.get(_KEY)
            return await self._finish(memory, tool, asked, answer)
        counted = await tool.call(memory, asked)
        would_delete = counted.get("would_delete")
        if not isinstance(would_delete, dict) or not would_delete.get("episodes"):
            return _result(counted)
        request = ElicitRequestFormParams(message=_question(would_delete), requested_schema=_ASKED)
        if self._modern:
            question = ElicitRequest(params=request).model_dump(by_alias=True, mode="json", exclude_none=True)
            return {"resultType": "input_required", "inputRequests": {_KEY: question}}
        answer = await self._ctx.session.elicit_form(request.message, _ASKED, related_request_id=self._ctx.request_id)
        return await self._finish(memory, tool, asked, answer)

    async def _finish(self, memory: "Memory", tool: Tool, asked: "Request", answer: Any) -> dict[str, Any]:
        agreed = isinstance(answer, ElicitResult) and answer.action == "accept" and (answer.content or {}).get("confirm") is True
        data = await tool.call(memory, asked.but(confirm=agreed))
        return _result(data if agreed else data | {"declined": True})


def _question(would_delete: dict[str, Json]) -> str:
    counts = ", ".join(f"{count} {kind}" for kind, count in would_delete.items() if count)
    return f"Delete from the memory for good: {counts}?"


def _result(data: dict[str, Json]) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": render.text_of(data)}],
        "structuredContent": data,
        "isError": False,
        "resultType": "complete",
    }
