"""Checksums of rows: SQLite has none, and a flipped byte inside a text is a text. One a row, over every column that no index repeats.

They are made by the SQL function `row_sum`, in the statement that writes the row, and compared where a row is read and by `check`.
"""

import zlib
from typing import Any

import msgspec

# What each sum is made of. `+ 0.0` where a whole number may be given for a REAL column, which keeps a float.
COLUMNS = {
    "episode": (
        "id, project, state, outcome, reward, task_type, domain, language, framework, complexity, agent, started_at_ms, ended_at_ms,"
        " step_count, edited, change_seq, external_id, parent_id, follows, follows_external, task, opening, closing"
    ),
    "step": "episode_row, step_index, body",
    "episode_edit": "episode_row, field, value, at_ms, hlc, origin",
    "trace": "episode_row, project, episode_id, body",
    "index_text": "seq, own_surroundings, body",
    "pattern": "id, kind, description, domain, content",
    "evidence": "pattern_row, episode_row, ordinal, success, weight, at_ms, detail",
    "vector": "space_row, seq, part, scale, codes",
    "recommendation": "id, kind, project, episode_id, at_ms, shown_ids",
    "feedback": "id, recommendation_row, verdict, used_ids, rating, note, implicit, at_ms, episode_id",
    "correction": "id, target_id, content, at_ms, hlc, origin",
    "link": "id, from_row, to_row, type, note, removed, at_ms, hlc, origin",
    "checkpoint": "id, episode_row, content, at_ms",
    "tombstone": "id, reason, change_seq, at_ms, project",
    "remote": "url, epoch, read_seq, batch, nonce, acknowledged, own_batch, resyncs, in_step_at_ms, last_error",
    "outbox": "remote_row, fact_id",
    "parked": "fact_id, waits_for, project, kind, hlc, origin, body",
    "own_file": "file_id",
    "away": "episode_row, home",
    "claim": "episode_row, number, origin, at_ms, granted",
    "echoed": "episode_row, steps, abandoned",
    "quarantine": "kind, name, active, reason, made_by, at_ms, hlc, origin",
    "change": "kind, entity_id, at_ms, answers",
}
_encode = msgspec.msgpack.Encoder().encode


def row_sum(*values: Any) -> int:
    """Return the checksum of a row's values."""
    return zlib.crc32(_encode(values))


def sum_of(table: str, alias: str = "") -> str:
    """Return SQL for the sum that a row of *table* should have."""
    prefix = f"{alias}." if alias else ""
    return f"row_sum({', '.join(prefix + column.strip() for column in COLUMNS[table].split(','))})"


def sound(table: str, alias: str = "") -> str:
    """Return SQL that is 1 where a row's sum is the one it should have."""
    return f"({alias + '.' if alias else ''}sum = {sum_of(table, alias)})"
