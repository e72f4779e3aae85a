"""mcp-memory-service: its SQLite file (`sqlite_vec.db`), or its export as JSON (`{"export_metadata": …, "memories": […]}`)."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from mcp_memory.cli import bounded
from mcp_memory.cli.memories.notes import Episode, notes
from mcp_memory.cli.transcripts.lines import document
from mcp_memory.cli.transcripts.record import TranscriptError, at_ms, expect

NAME = "mcp-memory-service"
SUFFIXES = (".db", ".json")
_SQLITE = b"SQLite format 3\x00"
_GONE = ("deleted_at", "superseded_by")  # columns that later versions have: a memory with one of them is no longer told there either


def convert(path: Path) -> Iterator[tuple[int, Episode | TranscriptError]]:
    """Yield (place, episode) per memory that is neither deleted nor superseded."""
    try:
        memories = _rows(path) if _is_database(path) else _exported(path)
    except (TranscriptError, sqlite3.Error, OSError) as error:
        yield 0, TranscriptError(str(error))
        return
    for place, given in enumerate(memories, 1):
        try:
            memory = expect(dict, given, "a memory")
            content = expect(str, memory.get("content"), "`content`")
            about = {"memory_type": memory.get("memory_type"), "store": memory.get("store"), "source": memory.get("export_source")}
            for episode in notes(
                NAME,
                str(memory.get("content_hash") or content),
                content,
                tags=[str(tag) for tag in expect(list, memory.get("tags") or [], "`tags`")],
                begun_ms=at_ms(memory.get("created_at")),
                ended_ms=at_ms(memory.get("updated_at")),
                metadata=expect(dict, memory.get("metadata") or {}, "`metadata`") | about,
            ):
                yield place, episode
        except TranscriptError as error:
            yield place, error


def _is_database(path: Path) -> bool:
    with bounded.opened(path) as (raw, _):
        return raw.peek(len(_SQLITE)).startswith(_SQLITE)


def _exported(path: Path) -> list[Any]:
    return cast(list[Any], expect(list, expect(dict, document(path), "the export").get("memories"), "`memories`"))


def _rows(path: Path) -> list[Any]:
    """Return the rows of the database, which is only read: a server may have it open."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
        database.row_factory = sqlite3.Row
        columns = {row["name"] for row in database.execute("PRAGMA table_info(memories)")}
        where = " AND ".join(f"{column} IS NULL" for column in _GONE if column in columns) or "1"
        rows = [dict(row) for row in database.execute(f"SELECT * FROM memories WHERE {where} ORDER BY id")]
    for row in rows:
        row["tags"] = [tag.strip() for tag in (row.get("tags") or "").split(",")]
        row["metadata"] = json.loads(row.get("metadata") or "{}")
    return rows
