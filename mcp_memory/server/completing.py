"""Completions: known values for the variables of resource templates and prompts, as a person types."""

from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp_types import CompleteRequestParams, PromptReference

from mcp_memory.rendering import render
from mcp_memory.server.auditing import caller_of
from mcp_memory.server.lifecycle import MemoryHost

if TYPE_CHECKING:
    from mcp_memory.server.memory_protocol import Memory

MAX_VALUES = 100  # the protocol's own limit


class Completer:
    """Serves `completion/complete`. An unknown variable has no values; that is no error."""

    def __init__(self, host: MemoryHost) -> None:
        self._host = host

    async def __call__(self, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> dict[str, Any]:
        """Return up to 100 values that begin with what was typed."""
        only_open = isinstance(params.ref, PromptReference) and params.ref.name == "wrap_up"
        memory = await self._host.memory()
        with memory.working_in("", caller_of(ctx)):
            values = await _values(memory, params.argument.name, params.argument.value, only_open=only_open)
        shown = [render.neutral(value) for value in values[:MAX_VALUES]]
        return {
            "completion": {"values": shown, "total": len(values), "hasMore": len(values) > MAX_VALUES},
            "resultType": "complete",
        }


async def _values(memory: "Memory", variable: str, typed: str, *, only_open: bool) -> list[str]:
    from mcp_memory.domain.requests import SearchEpisodes, SearchPatterns

    if variable in ("domain", "project"):
        return [value for value in await memory.distinct(variable, typed, MAX_VALUES + 1) if value]
    if variable == "episode_id":
        asked = SearchEpisodes(project="*", sort="newest", limit=MAX_VALUES, state="open" if only_open else "")
        page = await memory.search_episodes(asked)
        return [row.episode_id for row in page.episodes if row.episode_id.startswith(typed)]
    if variable == "pattern_id":
        found = await memory.search_patterns(SearchPatterns(limit=MAX_VALUES))
        return [pattern.pattern_id for pattern in found.patterns if pattern.pattern_id.startswith(typed)]
    return []
