"""The table of formats. A converter is a module with `SUFFIXES` and `convert(path)`, imported when its format is named.

A module whose files come in several parts says with `is_part(path)` which of them are not read by themselves.
"""

import os
from collections.abc import Iterator
from importlib import import_module
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


def _module(name: str) -> Any:
    return import_module(f"mcp_memory.cli.{_MODULES[name]}")
