"""Log lines without secrets: an exception's message may quote what a caller sent."""

import logging

from mcp_memory.redaction.scanner import redact


class RedactedFormatter(logging.Formatter):
    """Formats as its base class does, tracebacks included, then redacts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record* without secrets."""
        return redact(super().format(record))[0]
