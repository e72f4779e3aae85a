"""What a tool is to this server: its words, its schemas, and one call on the front door."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mcp_memory.domain.limits import MAX_RESULT_CHARS
from mcp_memory.rendering import render
from mcp_memory.server.arguments import check
from mcp_memory.server.schema import Json, Schema

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

Arguments = dict[str, Any]
Run = Callable[["EpisodicMemory", Arguments], Awaitable[dict[str, Json]]]


@dataclass(frozen=True)
class Tool:
    """One tool. `run` takes checked arguments and returns wire data."""

    name: str
    title: str
    description: str  # the first sentence says when to use it
    input_schema: Schema
    make_output_schema: Callable[[], Schema]  # made when first listed: building it is no work for the process start
    run: Run
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
    limit_field: str = ""  # the argument to lower when an answer is too large
    default_limit: int = 0
    labelled: bool = False  # the answer holds texts of earlier runs, so it says what they are
    always_load: bool = False  # hosts that load tools on demand load this one at once
    asks_user: bool = False
    checked_schema: Schema | None = None  # what arguments are held to, where showing all of it to a model would cost too much

    def check(self, arguments: Any) -> Arguments:
        """Return *arguments* as the schema says they should be. Raises InvalidArguments."""
        return check(self.name, self.checked_schema or self.input_schema, arguments)

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

    async def call(self, memory: "EpisodicMemory", arguments: Arguments) -> dict[str, Json]:
        """Return the answer to checked *arguments*."""
        data = await self.run(memory, arguments)
        if self.labelled:
            data.setdefault("note", render.NOTE)
        return data


def verb(name: str) -> Run:
    """Return the plain run: the front door's method of this name, its answer as it is."""

    async def run(memory: "EpisodicMemory", arguments: Arguments) -> dict[str, Json]:
        return render.answer(await getattr(memory, name)(**arguments))

    return run
