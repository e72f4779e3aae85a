"""Self-learning episodic memory for AI agents.

    async with open_memory(load_config()) as memory:
        started = await memory.start_episode(task="…")

Every name below is loaded when it is first used, so `import mcp_memory` costs a few milliseconds.
"""

TYPE_CHECKING = False  # as type checkers know it; `typing` would cost more than this whole package
if TYPE_CHECKING:
    from typing import Any

    from mcp_memory.bootstrap import open_memory
    from mcp_memory.config import Config, load_config
    from mcp_memory.errors import McpMemoryError
    from mcp_memory.memory import EpisodicMemory

__all__ = ["Config", "EpisodicMemory", "McpMemoryError", "__version__", "load_config", "open_memory"]

__version__ = "0.1.0"

_HOMES = {
    "Config": "mcp_memory.config",
    "EpisodicMemory": "mcp_memory.memory",
    "McpMemoryError": "mcp_memory.errors",
    "load_config": "mcp_memory.config",
    "open_memory": "mcp_memory.bootstrap",
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
