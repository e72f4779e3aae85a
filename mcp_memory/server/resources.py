"""Resources: what a person or a host can open and read, without a tool call."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, PaginatedRequestParams, ReadResourceRequestParams

from mcp_memory.errors import McpMemoryError, NotFound
from mcp_memory.rendering import render
from mcp_memory.rendering.neutralise import inert, neutral
from mcp_memory.rendering.on_one_line import one_line
from mcp_memory.server import apps, fitting
from mcp_memory.server.auditing import caller_of
from mcp_memory.server.lifecycle import MemoryHost
from mcp_memory.server.outputs import Json
from mcp_memory.server.tools.browsing import episode_record

if TYPE_CHECKING:
    from mcp_memory.server.memory_protocol import Memory

Context = ServerRequestContext[Any, Any]
SCHEME = "memory://"
RECENT, PATTERNS, STATUS = "memory://episodes/recent", "memory://patterns", "memory://status"
_JSON, _MARKDOWN = "application/json", "text/markdown"
_RECENT_EPISODES = 20
_LISTED_PATTERNS = 50
_PAGE_STEPS = 200
_MAX_EPISODE_CHARS = 1_000_000  # of one episode resource; beyond it `next_step_from` says where get_episode goes on
_TTL_MS = 10_000  # a host may show a read again for so long; completions announce themselves

_STATIC = (
    (RECENT, "recent_episodes", "Recent episodes", "The latest episodes of this project", _JSON),
    (PATTERNS, "patterns", "Patterns", "What was learned, best supported first", _JSON),
    (STATUS, "status", "Status", "Where the memory is, counts, timings, warnings", _JSON),
)
_TEMPLATES = (
    ("memory://episode/{episode_id}", "episode", "Episode", "One episode with all its steps", _JSON),
    ("memory://pattern/{pattern_id}", "pattern", "Pattern", "One pattern with its evidence", _JSON),
    ("memory://lessons/{domain}", "lessons", "Lessons", "The best lessons of a domain, with evidence", _MARKDOWN),
    ("memory://project/{project}", "project", "Project digest", "What to know before working on a project", _MARKDOWN),
)


def uri(kind: str, name: str) -> str:
    """Return the address of one of the templates' resources."""
    return f"{SCHEME}{kind}/{quote(name, safe='')}"


class Resources:
    """Serves `resources/list`, `resources/templates/list` and `resources/read`."""

    def __init__(self, host: MemoryHost) -> None:
        self._host = host

    async def list(self, ctx: Context, params: PaginatedRequestParams) -> dict[str, Any]:
        """Return the resources with a fixed address: one page."""
        require_first_page(params)
        return {"resources": [_entry("uri", *entry) for entry in _STATIC], "resultType": "complete"}

    async def list_templates(self, ctx: Context, params: PaginatedRequestParams) -> dict[str, Any]:
        """Return the templates: one page."""
        require_first_page(params)
        return {"resourceTemplates": [_entry("uriTemplate", *entry) for entry in _TEMPLATES], "resultType": "complete"}

    async def read(self, ctx: Context, params: ReadResourceRequestParams) -> dict[str, Any]:
        """Return one resource.

        Raises:
            MCPError: There is no such resource, or the memory cannot be read.
        """
        address = str(params.uri)
        if address.startswith(apps.SCHEME):
            return _view(address)
        kind, _, name = address.removeprefix(SCHEME).partition("/")
        read = _READERS.get(address) or (_NAMED_READERS.get(kind) if name else None)
        if read is None or not address.startswith(SCHEME):
            raise _not_found(address)
        try:
            memory = await self._host.memory()
            with memory.working_in("", caller_of(ctx)):
                mime_type, text = await read(memory, unquote(name))
        except NotFound:
            raise _not_found(address) from None
        except McpMemoryError as error:
            raise MCPError(code=INTERNAL_ERROR, message=one_line(error.line())) from error
        return {
            "contents": [{"uri": address, "mimeType": mime_type, "text": text}],
            "ttlMs": _TTL_MS,
            "cacheScope": "private",
            "resultType": "complete",
        }


def _view(address: str) -> dict[str, Any]:
    try:
        contents = apps.resource(address)
    except KeyError:
        raise _not_found(address) from None
    return {"contents": [contents], "ttlMs": _TTL_MS, "cacheScope": "public", "resultType": "complete"}


def require_first_page(params: PaginatedRequestParams | None) -> None:
    """Raise MCPError for a cursor: our lists have one page, so no cursor is ours."""
    if params is not None and params.cursor is not None:
        raise MCPError(code=INVALID_PARAMS, message="Unknown cursor")


def _entry(key: str, address: str, name: str, title: str, description: str, mime_type: str) -> dict[str, Json]:
    return {key: address, "name": name, "title": title, "description": description, "mimeType": mime_type}


def _not_found(address: str) -> MCPError:
    return MCPError(code=INVALID_PARAMS, message="Resource not found", data={"uri": address})


async def _status(memory: "Memory", _: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import MemoryStatus

    return _JSON, render.text_of(render.answer(await memory.memory_status(MemoryStatus())))


async def _recent(memory: "Memory", _: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import SearchEpisodes

    page = render.answer(await memory.search_episodes(SearchEpisodes(sort="newest", limit=_RECENT_EPISODES)))
    return _JSON, render.text_of({"note": render.NOTE, **page})


async def _patterns(memory: "Memory", _: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import SearchPatterns

    page = render.answer(await memory.search_patterns(SearchPatterns(limit=_LISTED_PATTERNS)))
    return _JSON, render.text_of({"note": render.NOTE, **page})


async def _episode(memory: "Memory", episode_id: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import GetEpisode

    asked = GetEpisode(episode_id, detail="full", step_limit=_PAGE_STEPS)
    record = episode_record(await memory.get_episode(asked))
    chars = len(render.text_of(record))
    while record["next_step_from"] is not None and chars < _MAX_EPISODE_CHARS:
        more = episode_record(await memory.get_episode(asked.but(step_from=record["next_step_from"])))
        record["steps"] += more["steps"]
        record["next_step_from"] = more["next_step_from"]
        chars += len(render.text_of(more["steps"]))
    return _JSON, _bounded({"note": render.NOTE, **record})


def _bounded(record: dict[str, Any]) -> str:
    """Return a record as text within the cap: fewer steps, said by `next_step_from`; then shorter texts, said by `truncated`."""
    text = render.text_of(record)
    while len(text) > _MAX_EPISODE_CHARS and len(record["steps"]) > 1:
        kept = max(1, int(len(record["steps"]) * 0.9 * _MAX_EPISODE_CHARS / len(text)))
        record["next_step_from"] = record["steps"][kept]["index"] if kept < len(record["steps"]) else record["next_step_from"]
        record["steps"] = record["steps"][:kept]
        text = render.text_of(record)
    return text if len(text) <= _MAX_EPISODE_CHARS else render.text_of(fitting.shortened(record))


async def _pattern(memory: "Memory", pattern_id: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import GetPattern

    return _JSON, render.text_of({"note": render.NOTE, **render.answer(await memory.get_pattern(GetPattern(pattern_id)))})


async def _lessons(memory: "Memory", domain: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import LessonsMarkdown

    return _MARKDOWN, labelled(await memory.lessons_markdown(LessonsMarkdown(domain)))


async def _project(memory: "Memory", project: str) -> tuple[str, str]:
    from mcp_memory.domain.requests import ProjectDigest

    return _MARKDOWN, labelled(await memory.project_digest(ProjectDigest(project)))


def labelled(markdown: str) -> str:
    """Return a Markdown text of the memory with a first line that says what it is, once."""
    return f"> {render.NOTE}\n\n{inert(neutral(markdown.replace(f'{render.NOTE} ', '', 1)))}"


_Reader = Callable[["Memory", str], Awaitable[tuple[str, str]]]
_READERS: dict[str, _Reader] = {STATUS: _status, RECENT: _recent, PATTERNS: _patterns}
_NAMED_READERS: dict[str, _Reader] = {"episode": _episode, "pattern": _pattern, "lessons": _lessons, "project": _project}
