"""The table of formats. A converter is a module with `SUFFIXES` and `convert(path)`, imported when its format is named.

A module whose files come in several parts says with `is_part(path)` which of them are not read by themselves.
"""

import json
import os
from collections.abc import Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_memory.cli.transcripts.record import TranscriptError

_MODULES = {
    "claude-code": "transcripts.claude_code",
    "codex": "transcripts.codex",
    "gemini": "transcripts.gemini",
    "qwen": "transcripts.qwen",
    "copilot": "transcripts.copilot",
    "opencode": "transcripts.opencode",
    "cline": "transcripts.cline",
    "continue": "transcripts.continue_dev",
    "openai": "transcripts.openai",
    "langchain": "transcripts.langchain",
    "swe-agent": "transcripts.swe_agent",
    "atif": "transcripts.atif",
    "mcp-memory-service": "memories.mcp_memory_service",
    "server-memory": "memories.server_memory",
    "mem0": "memories.mem0",
    "basic-memory": "memories.basic_memory",
}
FORMATS = tuple(_MODULES)
LINES_LOOKED_AT, ITEMS_LOOKED_AT = 20, 3  # of a file whose format is to be recognised


def convert(name: str, path: Path) -> "Iterator[tuple[int, dict[str, Any] | TranscriptError]]":
    """Yield (record number or 0, episode or the reason why there is none) for one file of the format."""
    from mcp_memory.cli.transcripts.record import TranscriptError

    try:
        yield from _module(name).convert(path)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:  # of a form nobody thought of
        yield 0, TranscriptError(f"it is not of the form of {name}: {type(error).__name__}: {error}")


def transcript_files(name: str, path: Path) -> list[Path]:
    """Return *path*, or the format's files below it in order of name. Links to folders are not followed."""
    if not path.is_dir():
        return [path]
    module = _module(name)
    is_part = getattr(module, "is_part", None)
    found = (Path(folder, file) for folder, _, files in os.walk(path) for file in files if file.endswith(module.SUFFIXES))
    return sorted(file for file in found if file.is_file() and not (is_part and is_part(file)))


def recognised(path: Path) -> str:
    """Return the one format whose converter finds work in a file; "" where none or several do, or where it is an interchange file.

    Reads the beginning of the file, and for a format whose sessions are one document the whole.
    """
    if path.is_dir() or not _looks_foreign(path):
        return ""
    found = [name for name in FORMATS if path.name.endswith(_module(name).SUFFIXES) and _has_work(name, path)]
    return found[0] if len(found) == 1 else ""


def _looks_foreign(path: Path) -> bool:
    """Return whether a file is a database, or begins with JSON that is no line of the interchange form."""
    with path.open("rb") as file:
        first = next((line for line in islice(file, LINES_LOOKED_AT) if line.strip()), b"")
    if first.startswith(b"SQLite format 3"):
        return True
    try:
        record = json.loads(first)
    except ValueError:
        return first.lstrip()[:1] in (b"{", b"[")  # one document over several lines
    return not isinstance(record, dict) or not {"task", "record"} & record.keys()


def _has_work(name: str, path: Path) -> bool:
    return any(isinstance(item, dict) and item.get("steps") for _, item in islice(convert(name, path), ITEMS_LOOKED_AT))


def _module(name: str) -> Any:
    return import_module(f"mcp_memory.cli.{_MODULES[name]}")
