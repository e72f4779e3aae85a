"""Purging what was deleted, over a long life."""

from contextlib import closing
from pathlib import Path

import pytest

from mcp_memory.storage.connection import Connection, open_writer
from mcp_memory.storage.fts_levels import without_empty_levels
from mcp_memory.storage.purge import Purge

TABLES = ("episode_text", "unfinished_text")
LIFETIME, WORDS = 2_200, 8  # deletions, and words of a text; SQLite 3.40 took the index for damaged after 2,100


def opened(path: Path) -> Connection:
    return open_writer(path, synchronous="OFF", busy_timeout_ms=100, deadline_ms=1_000)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "memory.db"
    with closing(opened(path)) as connection:
        connection.execute("CREATE VIRTUAL TABLE episode_text USING fts5 (task, content = '')")
        connection.execute("CREATE VIRTUAL TABLE unfinished_text USING fts5 (task)")
    return path


def text(row: int) -> str:
    return "kept " + " ".join(f"{row}w{n}" for n in range(WORDS))


def test_an_index_stays_sound_however_often_something_is_deleted(database: Path) -> None:
    purge = Purge(lambda: opened(database))
    with closing(opened(database)) as writer, closing(opened(database)) as other:
        for row in range(1, 2 * LIFETIME, 2):
            for table in TABLES:
                rows = [(row, text(row)), (row + 1, text(row + 1))]
                writer.executemany(f"INSERT INTO {table} (rowid, task) VALUES (?, ?)", rows)
            writer.execute("INSERT INTO episode_text (episode_text, rowid, task) VALUES ('delete', ?, ?)", rows[0])
            writer.execute("DELETE FROM unfinished_text WHERE rowid = ?", (row,))
            while purge.work(writer, 1_000):
                pass
        for table in TABLES:
            writer.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
            for connection in (writer, other):
                (found,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {table} MATCH 'kept'").fetchone()
                assert found == LIFETIME


def test_a_record_of_few_levels_of_another_form_or_cut_short_is_left_as_it_is() -> None:
    levels = bytes(2 * 69) + bytes([0, 1, 9, 1, 2])
    record = bytes(4) + bytes([70, 1, 5]) + levels
    assert without_empty_levels(record) is not None
    assert without_empty_levels(bytes(4) + bytes([2, 1, 5, 0, 0, 0, 1, 9, 1, 2])) is None
    assert without_empty_levels(bytes(4) + b"\xff\x00\x00\x01" + record[4:]) is None
    assert without_empty_levels(bytes(4) + bytes([70, 0, 5]) + bytes(2 * 70)) is None
    assert without_empty_levels(record + bytes(1)) is None
