"""Log lines without secrets: an exception's message may quote what a caller sent."""

import json
import logging
from datetime import UTC, datetime

from mcp_memory.redaction.scanner import redact


class RedactedFormatter(logging.Formatter):
    """Formats as its base class does, tracebacks included, then redacts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of *record* without secrets."""
        return redact(super().format(record))[0]


class JsonFormatter(RedactedFormatter):
    """One JSON object a line, for whoever collects logs: `at`, `level`, `logger`, `message`, and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as an object without secrets."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage())[0],
        }
        if record.exc_info:
            entry["traceback"] = redact(self.formatException(record.exc_info))[0]
        return json.dumps(entry, ensure_ascii=False)
