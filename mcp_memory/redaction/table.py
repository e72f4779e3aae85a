"""The table: every rule that finds a secret by its shape. What is found by its name is in `named`."""

from mcp_memory.redaction.commands import COMMANDS
from mcp_memory.redaction.frames import FRAMES
from mcp_memory.redaction.providers import PROVIDERS
from mcp_memory.redaction.rules import Rule

TABLE: tuple[Rule, ...] = (*FRAMES, *PROVIDERS, *COMMANDS)

__all__ = ["TABLE", "Rule"]
