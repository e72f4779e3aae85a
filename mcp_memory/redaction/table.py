"""The table: every rule that finds a secret by its shape. What is found by its name is in `named`."""

from mcp_memory.redaction.commands import COMMANDS
from mcp_memory.redaction.frames import FRAMES
from mcp_memory.redaction.providers import CLOUDS, MODELS
from mcp_memory.redaction.rules import Rule
from mcp_memory.redaction.services import HOSTING, SERVICES

TABLE: tuple[Rule, ...] = (*FRAMES, *MODELS, *CLOUDS, *HOSTING, *SERVICES, *COMMANDS)

__all__ = ["TABLE", "Rule"]
