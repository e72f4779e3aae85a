"""Run one call against the memory and come back with its answer."""

import argparse
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from mcp_memory.cli.options import settings_of

if TYPE_CHECKING:
    from mcp_memory.config import Config
    from mcp_memory.memory import EpisodicMemory

T = TypeVar("T")


def with_memory(args: argparse.Namespace, call: "Callable[[EpisodicMemory], Awaitable[T]]") -> T:
    """Open the memory the options name, await *call* on it, close it, return the answer."""
    return with_settings(settings_of(args), call)


def with_settings(config: "Config", call: "Callable[[EpisodicMemory], Awaitable[T]]") -> T:
    """As `with_memory`, with the settings at hand."""
    import anyio

    from mcp_memory.bootstrap import open_memory
    from mcp_memory.hooks.turns import Hooks, folder_of

    async def opened() -> T:
        async with open_memory(config) as memory:
            await Hooks(memory, folder_of(config)).drain()  # what the hooks kept while nobody had it open
            return await call(memory)

    log_to_stderr()
    return anyio.run(opened)


def log_to_stderr() -> None:
    """Send warnings of the library to stderr, without secrets; stdout is for data, or for the protocol."""
    from mcp_memory.redaction.logs import RedactedFormatter

    handler = logging.StreamHandler()
    handler.setFormatter(RedactedFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
