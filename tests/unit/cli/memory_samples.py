"""Files of other memories, in the forms their documentation and source give."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

FACT = "The CI cache must be cleared after a change of the lock file."
MEM0 = {
    "results": [
        {
            "id": "892db2ae-06d9-49e5-8b3e-585ef9b85b8e",
            "memory": "Prefers pytest over unittest",
            "hash": "29519ae3",
            "metadata": {"project": "parser"},
            "created_at": "2026-03-01T10:00:00.123456-07:00",
            "updated_at": "2026-03-02T10:00:00.123456-07:00",
            "user_id": "ana",
            "categories": ["preferences"],
        },
        {"id": "1", "memory": FACT, "hash": "x", "metadata": None, "created_at": None, "updated_at": None, "agent_id": "coder"},
    ]
}
GRAPH: list[dict[str, Any]] = [
    {"type": "entity", "name": "date_parser", "entityType": "module", "observations": ["accepts ISO weeks", "lives in dates.py"]},
    {"type": "entity", "name": "Ana", "entityType": "person", "observations": []},
    {"type": "relation", "from": "Ana", "to": "date_parser", "relationType": "maintains"},
    {"type": "relation", "from": "nightly_job", "to": "date_parser", "relationType": "depends_on"},
]
SERVICE = {
    "export_metadata": {
        "source_machine": "ws-1",
        "export_timestamp": "2026-05-01T09:00:00",
        "total_memories": 1,
        "exporter_version": "5.0.1",
    },
    "memories": [
        {
            "content": FACT,
            "content_hash": "5f3c8a",
            "tags": ["ci", "cache"],
            "created_at": 1767225600.5,
            "updated_at": 1767312000.0,
            "memory_type": "decision",
            "metadata": {"agent_id": "coder"},
            "store": "default",
            "export_source": "ws-1",
        }
    ],
}
NOTE = """---
title: Coffee Brewing Methods
type: note
tags: [coffee, brewing]
permalink: coffee-brewing-methods
created: 2026-02-03T08:00:00+00:00
---

# Coffee Brewing Methods

How we brew in the office.

## Observations
- [method] Pour over gives more clarity than a French press
- [technique] Water at 205 °F extracts best #temperature (measured twice)
- [ ] buy a scale
```
- [code] is no observation
```

## Relations
- requires [[Proper Grinding Technique]]
- [[Tea Brewing Methods]]
"""


def write(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def write_lines(path: Path, values: list[dict[str, Any]]) -> Path:
    return write(path, "".join(json.dumps(value) + "\n" for value in values))


def write_database(path: Path, *, later: bool) -> Path:
    """A file as mcp-memory-service makes it: the columns of its first versions, or those of version 12."""
    more = ", deleted_at REAL DEFAULT NULL, store TEXT DEFAULT 'default', parent_id TEXT, superseded_by TEXT" if later else ""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE memories (id INTEGER PRIMARY KEY AUTOINCREMENT, content_hash TEXT UNIQUE NOT NULL, content TEXT NOT NULL, "
            f"tags TEXT, memory_type TEXT, metadata TEXT, created_at REAL, updated_at REAL, created_at_iso TEXT, updated_at_iso TEXT{more})"
        )
        insert = (
            "INSERT INTO memories (content_hash, content, tags, memory_type, metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        rows = [
            (f"h{n}", text, "ci, cache", "decision", '{"agent_id": "coder"}', 1767225600.5, 1767312000.0)
            for n, text in enumerate((FACT, "gone", "old"))
        ]
        database.executemany(insert, rows if later else rows[:1])
        if later:
            database.execute("UPDATE memories SET deleted_at = 1 WHERE content = 'gone'")
            database.execute("UPDATE memories SET superseded_by = 'h0' WHERE content = 'old'")
    return path
