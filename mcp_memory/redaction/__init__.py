"""Secrets out of texts before anything is stored: `redact` a text, `redact_tree` for JSON, `redact_record` for a request. Pure."""

from mcp_memory.redaction.scanner import redact
from mcp_memory.redaction.together import look_for
from mcp_memory.redaction.tree import redact_field, redact_identifier, redact_record, redact_tree

__all__ = ["look_for", "redact", "redact_field", "redact_identifier", "redact_record", "redact_tree"]
