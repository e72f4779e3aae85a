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
            purge.want()
            while purge.pending:
                purge.work(writer, 1_000)
        for table in TABLES:
            writer.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
            for connection in (writer, other):
                (found,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {table} MATCH 'kept'").fetchone()
                assert found == LIFETIME


def test_what_others_write_while_a_purge_is_under_way_is_found_after_it(database: Path) -> None:
    purge = Purge(lambda: opened(database))
    with closing(opened(database)) as writer, closing(opened(database)) as other:
        for row in range(1, LIFETIME):
            if row % 2:
                purge.want()
            for connection, number in ((writer, 2 * row), (other, 2 * row + 1)):
                connection.execute("INSERT INTO unfinished_text (rowid, task) VALUES (?, ?)", (number, text(number)))
            purge.work(writer, 1_000)
        writer.execute("INSERT INTO unfinished_text (unfinished_text) VALUES ('integrity-check')")
        (found,) = other.execute("SELECT count(*) FROM unfinished_text WHERE unfinished_text MATCH 'kept'").fetchone()
        assert found == 2 * (LIFETIME - 1)


def test_a_purge_ends_although_others_go_on_writing(database: Path) -> None:
    purge = Purge(lambda: opened(database))
    with closing(opened(database)) as writer:
        purge.want()
        for row in range(50):
            for table in TABLES:
                writer.execute(f"INSERT INTO {table} (rowid, task) VALUES (?, ?)", (row, text(row)))
            purge.work(writer, 1_000)
            if not purge.pending:
                break
        assert row < 20


def test_a_record_of_few_levels_of_another_form_or_cut_short_is_left_as_it_is() -> None:
    levels = bytes(2 * 69) + bytes([0, 1, 9, 1, 2])
    record = bytes(4) + bytes([70, 1, 5]) + levels
    newest = bytes([0, 1, 7, 1, 3])
    assert without_empty_levels(bytes(4) + bytes([71, 2, 5]) + newest + levels) == bytes(4) + bytes([2, 2, 5]) + newest + levels[-5:]
    assert without_empty_levels(bytes(4) + bytes([71, 1, 5]) + newest + levels) is None
    assert without_empty_levels(record) is not None
    assert without_empty_levels(bytes(4) + bytes([2, 1, 5, 0, 0, 0, 1, 9, 1, 2])) is None
    assert without_empty_levels(bytes(4) + b"\xff\x00\x00\x01" + record[4:]) is None
    assert without_empty_levels(bytes(4) + bytes([70, 0, 5]) + bytes(2 * 70)) is None
    assert without_empty_levels(record + bytes(1)) is None
