"""What Codex writes into its session's file of a command and does not tell its hook: how it ended, and how long it took.

The line is there before the hook runs, among the last of the file; of a long output it holds 64 kB.
"""

import json
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TAIL_BYTES = 512 * 1024  # several commands at once, each with a long output


def ended(path: str, call_id: str) -> "dict[str, Any]":
    """Return `exit_code` and `duration_ms` of a call, as far as the end of a session's file tells them; {} where it tells nothing."""
    if not call_id:
        return {}
    try:
        lines = _tail(path).split(b"\n")
    except OSError:
        return {}
    mark = call_id.encode()
    for line in reversed(lines):
        if mark in line and b'"CommandExecution"' in line:
            item = _item(line)
            if item.get("id") == call_id:
                return _told(item)
    return {}


def _tail(path: str) -> bytes:
    """Return the end of a regular file. Raises OSError: it is none, or cannot be read."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # of a pipe nobody writes into, opening would wait
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(f"{path} is no file")
        file.seek(max(0, found.st_size - _TAIL_BYTES))
        return file.read(_TAIL_BYTES)


def _item(line: bytes) -> "dict[str, Any]":
    try:
        item = json.loads(line)["payload"]["item"]
    except (ValueError, TypeError, KeyError, RecursionError):  # cut off at its beginning, or another version's
        return {}
    return item if isinstance(item, dict) else {}


def _told(item: "dict[str, Any]") -> "dict[str, Any]":
    found: dict[str, Any] = {}
    if isinstance(code := item.get("exit_code"), int):
        found["exit_code"] = code
    took = item.get("duration")
    if isinstance(took, dict) and isinstance(took.get("secs"), int) and isinstance(took.get("nanos"), int):
        found["duration_ms"] = took["secs"] * 1000 + took["nanos"] // 1_000_000
    return found
