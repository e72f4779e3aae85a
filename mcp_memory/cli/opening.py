"""Run one call against the memory and come back with its answer."""

import argparse
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from mcp_memory.cli.options import settings_of
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.errors import InvalidInput, McpMemoryError, NotFound
from mcp_memory.projects import display_name

if TYPE_CHECKING:
    from mcp_memory.config import Config
    from mcp_memory.memory import EpisodicMemory

T = TypeVar("T")
DRAIN_BUDGET_S = 2.0  # of a command, for what hooks kept
DRAIN_WAIT_S = 5.0  # for the process that a session's end started: what a person asks for next is that session
MAX_PROJECTS = 10_000  # that a name is looked for among
SHOWN_PROJECTS = 8
logger = logging.getLogger(__name__)


def with_memory(args: argparse.Namespace, call: "Callable[[EpisodicMemory], Awaitable[T]]") -> T:
    """Open the memory the options name, await *call* on it, close it, return the answer."""
    return with_settings(settings_of(args), call)


def with_settings(config: "Config", call: "Callable[[EpisodicMemory], Awaitable[T]]") -> T:
    """As `with_memory`, with the settings at hand."""
    import anyio

    from mcp_memory.bootstrap import open_memory

    async def opened() -> T:
        async with open_memory(config) as memory:
            await _take_what_waits(memory, config)
            return await call(memory)

    log_to_stderr()
    return anyio.run(opened)


async def project_asked(memory: "EpisodicMemory", args: argparse.Namespace, otherwise: str = ANY_PROJECT) -> str:
    """Return the project that `--project` names for a reading command, in full or as lists show it; *otherwise* where it names none.

    Raises:
        NotFound: There is nothing of such a project.
        InvalidInput: Several are called so.
    """
    if not args.project or args.project == ANY_PROJECT:
        return args.project or otherwise
    known = await memory.distinct("project", limit=MAX_PROJECTS)
    meant = [args.project] if args.project in known else [name for name in known if display_name(name) == args.project]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise InvalidInput(f"several projects are called {args.project!r}", hint=f"Give one of them in full: {', '.join(meant)}.")
    shown = list(dict.fromkeys(map(display_name, known)))
    there = ", ".join(shown[:SHOWN_PROJECTS]) + (", …" if len(shown) > SHOWN_PROJECTS else "")
    raise NotFound(f"there is nothing of a project {args.project!r}", hint=f"There is something of: {there or 'no project yet'}.")


async def _take_what_waits(memory: "EpisodicMemory", config: "Config") -> None:
    """Take in what hooks kept while nobody had the memory open, as far as it goes at once. The command comes first, whatever happens."""
    from mcp_memory.hooks.intake import Hooks
    from mcp_memory.hooks.wire import folder_of

    try:
        if not await Hooks(memory, folder_of(config.data_dir)).drain(DRAIN_BUDGET_S, wait_s=DRAIN_WAIT_S):
            print("note: sessions recorded by hooks still wait; `mcp-memory hook drain` takes all of them in", file=sys.stderr)
    except Exception as error:
        logger.warning("what the hooks kept has to wait: %s", error, exc_info=not isinstance(error, (McpMemoryError, OSError)))


def log_to_stderr(form: str = "text") -> None:
    """Send warnings of the library to stderr, as text or JSON, without secrets; stdout is for data, or for the protocol."""
    from mcp_memory.rendering.logs import JsonFormatter, SafeFormatter

    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else SafeFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
