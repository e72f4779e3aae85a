"""Secrets out of texts before anything is stored: `redact` for a text, `redact_tree` for JSON. Pure; no import but `re` and the errors."""

from mcp_memory.redaction.scanner import redact
from mcp_memory.redaction.tree import redact_tree

__all__ = ["redact", "redact_tree"]
