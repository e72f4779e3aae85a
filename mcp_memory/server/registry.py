"""What a tool is to this server: its words, its schemas, and one call on the facade."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mcp_memory.domain.limits import MAX_RESULT_CHARS
from mcp_memory.rendering import render
from mcp_memory.server.outputs import Json, Schema

if TYPE_CHECKING:
    from mcp_memory.domain.requests import Request
    from mcp_memory.server.memory_protocol import Memory

Run = Callable[["Memory", Any], Awaitable[dict[str, Json]]]  # Any: the tool's own request


@dataclass(frozen=True)
class Tool:
    """One tool. What it takes is the request of its name; `run` takes that request and returns wire data."""

    name: str
    title: str
    description: str  # the first sentence says when to use it
    make_output_schema: Callable[[], Schema]  # made when first listed: building it is no work for the process start
    run: Run
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    limit_field: str = ""  # the argument to lower when an answer is too large
    labelled: bool = False  # the answer holds texts of earlier runs, so it says what they are
    always_load: bool = False  # hosts that load tools on demand load this one at once
    asks_user: bool = False
    lines: Callable[[dict[str, Json], Any], str] | None = None  # what a model reads instead of JSON, of the wire data and the request

    @cached_property
    def request(self) -> "type[Request]":
        """The record of what this tool takes. Imported when it is first needed, not before the handshake is answered."""
        from mcp_memory.domain import requests

        record: type[Request] = getattr(requests, "".join(word.capitalize() for word in self.name.split("_")))
        return record

    @cached_property
    def input_schema(self) -> Schema:
        """The JSON schema of the request."""
        from mcp_memory.domain.requests import schema_of

        return schema_of(self.request)

    def read(self, arguments: Any) -> "Request":
        """Return the request that a call's arguments make. Raises InvalidInput, or InvalidArguments for a wrong name or type."""
        return self.request.read({} if arguments is None else arguments, listed_only=True)

    @cached_property
    def listing(self) -> dict[str, Json]:
        """The entry in `tools/list`."""
        meta: dict[str, Json] = {"anthropic/maxResultSizeChars": 2 * MAX_RESULT_CHARS}
        if self.always_load:
            meta["anthropic/alwaysLoad"] = True
        if self.asks_user:
            meta["anthropic/requiresUserInteraction"] = True
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input_schema,
            "outputSchema": self._output_schema,
            "annotations": {
                "title": self.title,
                "readOnlyHint": self.read_only,
                "destructiveHint": self.destructive,
                "idempotentHint": self.read_only or self.idempotent,
                "openWorldHint": False,
            },
            "_meta": meta,
        }

    @property
    def _output_schema(self) -> Schema:
        schema = self.make_output_schema()
        properties = dict(schema["properties"])
        if self.labelled:
            properties.setdefault("note", {"type": "string"})
        if self.limit_field:
            properties |= {"truncated": {"type": "boolean"}, "rest": {"type": "string"}}
        return schema | {"properties": properties}

    async def call(self, memory: "Memory", asked: "Request") -> dict[str, Json]:
        """Return the answer to a request."""
        data = await self.run(memory, asked)
        if self.labelled:
            data.setdefault("note", render.NOTE)
        return data


def verb(name: str) -> Run:
    """Return the plain run: the facade's method of this name, its answer as it is."""

    async def run(memory: "Memory", asked: "Request") -> dict[str, Json]:
        return render.answer(await getattr(memory, name)(asked))

    return run
