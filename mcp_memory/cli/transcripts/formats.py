"""The table of formats. A converter is a module with `SUFFIXES` and `convert(path)`, imported when its format is named."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp_memory.cli.transcripts.record import TranscriptError

_MODULES = {"claude-code": "claude_code", "openai": "openai", "langchain": "langchain", "swe-agent": "swe_agent", "atif": "atif"}
FORMATS = tuple(_MODULES)
USUAL_FOLDERS = {"claude-code": "~/.claude/projects"}  # where a tool keeps its transcripts, when it has one place for them


def convert(name: str, path: Path) -> "Iterator[tuple[int, dict[str, Any] | TranscriptError]]":
    """Yield (record number or 0, episode or the reason why there is none) for one file of the format."""
    yield from _module(name).convert(path)


def transcript_files(name: str, path: Path) -> list[Path]:
    """Return *path*, or the format's files below it in order of name."""
    if not path.is_dir():
        return [path]
    return sorted(found for found in path.rglob("*") if found.suffix in _module(name).SUFFIXES and found.is_file())


def _module(name: str) -> Any:
    return import_module(f"mcp_memory.cli.transcripts.{_MODULES[name]}")
