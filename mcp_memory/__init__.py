"""Self-learning episodic memory for AI agents; as a library, see docs/library.md.

>>> import anyio, tempfile
>>> from mcp_memory import load_config, open_memory
>>> async def attempt(folder):
...     async with open_memory(load_config(env={}, flags={"storage.data_dir": folder, "embedding.provider": "off"})) as memory:
...         begun = await memory.start_episode("Make the date parser accept week numbers")
...         await memory.complete_episode(begun.episode_id, "success", lessons=["a year may have 53 weeks"])
...         return (await memory.recall("parser for dates with weeks")).episodes[0].lessons
>>> with tempfile.TemporaryDirectory() as folder:
...     anyio.run(attempt, folder)
('a year may have 53 weeks',)

`open_memory_sync` is the same for programs without an event loop. Every name below is loaded when it is first used, so
`import mcp_memory` costs a few milliseconds.
"""

TYPE_CHECKING = False  # as type checkers know it; `typing` would cost more than this whole package
if TYPE_CHECKING:
    from typing import Any

    from mcp_memory.bootstrap import open_memory
    from mcp_memory.config import Config
    from mcp_memory.config_sources import load_config
    from mcp_memory.errors import McpMemoryError
    from mcp_memory.memory import EpisodicMemory
    from mcp_memory.sync_memory import SyncMemory, open_memory_sync

__all__ = [
    "Config",
    "EpisodicMemory",
    "McpMemoryError",
    "SyncMemory",
    "__version__",
    "load_config",
    "open_memory",
    "open_memory_sync",
]

__version__ = "0.1.0"

_HOMES = {
    "Config": "mcp_memory.config",
    "EpisodicMemory": "mcp_memory.memory",
    "McpMemoryError": "mcp_memory.errors",
    "SyncMemory": "mcp_memory.sync_memory",
    "load_config": "mcp_memory.config_sources",
    "open_memory": "mcp_memory.bootstrap",
    "open_memory_sync": "mcp_memory.sync_memory",
}


def __getattr__(name: str) -> "Any":
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
