"""The tools that look things up."""

from typing import TYPE_CHECKING

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.rendering import render
from mcp_memory.rendering.episode_lines import episode_text, episodes_text
from mcp_memory.rendering.pattern_lines import pattern_text, patterns_text
from mcp_memory.rendering.status_lines import status_text
from mcp_memory.server.outputs import Json, Schema, answered, nullable, record_class, row_schema, schema_of
from mcp_memory.server.registry import Tool, verb

if TYPE_CHECKING:
    from mcp_memory.domain import requests
    from mcp_memory.domain.answers import EpisodeDetail
    from mcp_memory.server.memory_protocol import Memory


async def _get_episode(memory: "Memory", asked: "requests.GetEpisode") -> dict[str, Json]:
    return episode_record(await memory.get_episode(asked))


def episode_record(found: "EpisodeDetail") -> dict[str, Json]:
    """Return one episode as wire data: its fields, its present tags, and where its steps go on."""
    data = render.plain(found.episode)
    data["episode_id"] = data.pop("id")
    del data["change_seq"]
    data["tags"] = render.plain(found.tags)
    data["context"].pop("tags", None)
    data["next_step_from"] = found.next_step_from
    if found.correction is not None:
        data["correction"] = found.correction
    return {"episode_id": data.pop("episode_id"), **data}


def _episode_schema() -> Schema:
    schema = row_schema(record_class("Episode"))
    properties = {name: item for name, item in schema["properties"].items() if name not in ("id", "change_seq")}
    properties |= {
        "episode_id": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "next_step_from": nullable({"type": "integer"}),
        "correction": {"type": "string"},
    }
    return {"type": "object", "properties": properties, "required": ["episode_id", "task", "state", "steps", "next_step_from"]}


async def _get_pattern(memory: "Memory", asked: "requests.GetPattern") -> dict[str, Json]:
    found = render.answer(await memory.get_pattern(asked))
    pattern = found.pop("pattern")
    return {**pattern, **found}


def _pattern_schema() -> Schema:
    pattern, rest = row_schema(record_class("RecalledPattern")), schema_of(record_class("PatternDetail"), without=["pattern"])
    return rest | {"properties": pattern["properties"] | rest["properties"], "required": ["pattern_id", "kind", "description", "evidence"]}


SEARCH_EPISODES = Tool(
    name="search_episodes",
    title="Search episodes",
    description="Use this to list stored episodes; to learn from similar work use recall.",
    make_output_schema=answered("EpisodePage"),
    run=verb("search_episodes"),
    lines=lambda data, asked: episodes_text(data, everywhere=asked.project == ANY_PROJECT),
    read_only=True,
    limit_field="limit",
    labelled=True,
)

GET_EPISODE = Tool(
    name="get_episode",
    title="Read an episode",
    description="Use this to read one episode and its steps; go on at next_step_from.",
    make_output_schema=_episode_schema,
    run=_get_episode,
    lines=lambda data, asked: episode_text(data, full=asked.detail == "full"),
    read_only=True,
    limit_field="step_limit",
    labelled=True,
)

MEMORY_STATUS = Tool(
    name="memory_status",
    title="Memory status",
    description="Use this to check the memory.",
    make_output_schema=answered("Status"),
    run=verb("memory_status"),
    lines=lambda data, asked: status_text(data),
    read_only=True,
)

SEARCH_PATTERNS = Tool(
    name="search_patterns",
    title="Search patterns",
    description=(
        "Use this to list what was learned (tool sequences, decision points, error recoveries, contexts) with support and confidence."
    ),
    make_output_schema=answered("PatternPage"),
    run=verb("search_patterns"),
    lines=lambda data, asked: patterns_text(data, every=bool(asked.kind)),
    read_only=True,
    limit_field="limit",
    labelled=True,
)

GET_PATTERN = Tool(
    name="get_pattern",
    title="Read a pattern",
    description="Use this to judge a pattern before relying on it: its evidence, how its confidence came about, where it failed.",
    make_output_schema=_pattern_schema,
    run=_get_pattern,
    lines=lambda data, asked: pattern_text(data),
    read_only=True,
    labelled=True,
)

ANALYZE_TRENDS = Tool(
    name="analyze_trends",
    title="Analyze trends",
    description=(
        "Use this to see whether work is getting better: a metric over time, the points where it changed, clusters of similar tasks."
    ),
    make_output_schema=answered("Trends"),
    run=verb("analyze_trends"),
    read_only=True,
    labelled=True,
)
