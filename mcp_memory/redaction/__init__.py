"""Secrets out of texts before anything is stored: `redact` for a text, `redact_tree` for JSON, `redact_record` for a request. Pure; no import but `re` and the errors."""

from mcp_memory.redaction.scanner import redact
from mcp_memory.redaction.tree import redact_identifier, redact_record, redact_tree

__all__ = ["redact", "redact_identifier", "redact_record", "redact_tree"]
