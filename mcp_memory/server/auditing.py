"""The audit log: who called which tool on which records, and how it went. Never what was in them."""

import json
import logging
import logging.handlers
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MAX_BYTES = 10 * 1024 * 1024
BACKUPS = 5
_ID_FIELDS = ("episode_id", "episode_ids", "parent_id", "pattern_id", "recommendation_id", "used_ids", "checkpoint_id", "from_id", "to_id")
_MAX_IDS = 20
_MAX_ID_CHARS = 80


class AuditLog:
    """One JSON object a line, in a file that rotates."""

    def __init__(self, path: str) -> None:
        Path(path).expanduser().parent.mkdir(parents=True, exist_ok=True)
        self._handler = logging.handlers.RotatingFileHandler(
            Path(path).expanduser(), maxBytes=MAX_BYTES, backupCount=BACKUPS, encoding="utf-8", delay=True
        )

    def record(self, who: str, tool: str, arguments: Any, result: Mapping[str, Any], duration_ms: float) -> None:
        """Append one call."""
        ids = _ids(arguments) + _ids(result.get("structuredContent"))
        entry = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "who": who,
            "tool": tool,
            "ids": list(dict.fromkeys(ids))[:_MAX_IDS],
            "outcome": _outcome(result),
            "duration_ms": round(duration_ms, 1),
        }
        self._handler.emit(logging.makeLogRecord({"msg": json.dumps(entry, ensure_ascii=True), "levelno": logging.INFO}))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def _ids(values: Any) -> list[str]:
    if not isinstance(values, Mapping):
        return []
    found: list[str] = []
    for name in _ID_FIELDS:
        value = values.get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                found.append(item[:_MAX_ID_CHARS])
    return found


def _outcome(result: Mapping[str, Any]) -> str:
    if not result.get("isError"):
        return "ok"
    text = str(result["content"][0]["text"])
    return text.partition(":")[0]  # the error's code, not its message: that may quote what was sent
