"""A transcript's file, line by line or as one document, with a bound on either."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.cli import bounded
from mcp_memory.cli.transcripts.record import TranscriptError


def values(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield (line, JSON value) for the lines of a file that are no blank ones, a TranscriptError in place of what is no JSON."""
    try:
        with bounded.opened(path) as (_, file):
            for number, line in bounded.lines(file):
                if line is None:
                    yield number, TranscriptError(bounded.too_long())
                elif line.strip():
                    yield number, _value(line)
    except bounded.UNREADABLE as error:
        yield 0, TranscriptError(bounded.explained(error))


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """As `values`, for a file with an object on every line."""
    for number, value in values(path):
        if not isinstance(value, dict | TranscriptError):
            value = TranscriptError(f"the line should be dict, not {type(value).__name__}")
        yield number, value


def _value(line: bytes) -> Any:
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        return TranscriptError(f"not JSON: {error}")


def document(path: Path) -> Any:
    """Return a file that is one JSON document. Raises TranscriptError: it is none, it is too large, or it cannot be read."""
    try:
        with bounded.opened(path) as (_, file):
            text = file.read(bounded.MAX_DOCUMENT_BYTES + 1)
        if len(text) > bounded.MAX_DOCUMENT_BYTES:
            raise TranscriptError(f"the document is larger than {bounded.MAX_DOCUMENT_BYTES // 2**20} MiB, the limit")
        return json.loads(text.decode("utf-8"))
    except bounded.UNREADABLE as error:
        raise TranscriptError(bounded.explained(error)) from None
    except RecursionError:
        raise TranscriptError("the document is nested too deep") from None
    except TranscriptError:
        raise
    except ValueError as error:
        raise TranscriptError(f"not JSON: {error}") from None
