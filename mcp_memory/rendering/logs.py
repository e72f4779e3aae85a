"""Log lines that give nothing away and nobody can forge: a message may quote what a caller sent, or how a variable is called.

What is logged goes to a terminal or into a file that others read line by line. So secrets are masked, characters that act on a display
are made visible, and every line but a record's first is indented: quoted text never looks like a record of its own (CWE-117).
"""

import json
import logging
from datetime import UTC, datetime

from mcp_memory.domain.clipping import clip
from mcp_memory.rendering.neutralise import neutral

MAX_MESSAGE_CHARS = 4_000


class SafeFormatter(logging.Formatter):
    """Formats as its base class does, tracebacks included; then redacted, neutral, bounded and indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of *record*: its first line, and what follows indented."""
        return "\n    ".join(super().format(record).splitlines())

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line without its traceback."""
        record.message = _safe(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: "logging._SysExcInfoType") -> str:
        """Return the traceback, all of it: it tells the cause at its end."""
        return _masked(super().formatException(ei))


class JsonFormatter(SafeFormatter):
    """One JSON object a line, for whoever collects logs: `at`, `level`, `logger`, `message`, and `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as an object."""
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _safe(record.getMessage()),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def _safe(message: str) -> str:
    return clip(_masked(message), MAX_MESSAGE_CHARS)


def _masked(text: str) -> str:
    from mcp_memory.redaction.scanner import redact  # its many patterns: a server loads them after the handshake

    return neutral(redact(text)[0])
