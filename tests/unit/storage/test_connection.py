"""Opening, reading and translating errors."""

import sqlite3
from pathlib import Path

import pytest

from mcp_memory.errors import CorruptRecord, InvalidInput, MigrationError, StoreUnavailable, StoreUnusable
from mcp_memory.storage.connection import open_reader, open_writer, translate
from mcp_memory.storage.read_pool import ReadPool


def opened(path: Path, **settings: object) -> sqlite3.Connection:
    return open_writer(path, **({"synchronous": "FULL", "busy_timeout_ms": 10, "deadline_ms": 100} | settings))  # type: ignore[arg-type]


def test_a_new_file_is_in_wal_mode_and_commits_are_synced(tmp_path: Path) -> None:
    connection = opened(tmp_path / "new folder ü%20#?" / "memory.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert (tmp_path / "new folder ü%20#?" / "memory.db").exists()
    connection.close()


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(MigrationError):
        opened(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_reported_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.write_bytes(b"this is not a database, but somebody's notes" * 100)
    with pytest.raises(CorruptRecord):
        opened(path)
    assert path.read_bytes().startswith(b"this is not a database")


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable):
        opened(tmp_path / "file" / "memory.db")


def test_a_reader_cannot_write_and_sees_every_commit(tmp_path: Path) -> None:
    writer = opened(tmp_path / "memory.db")
    writer.execute("CREATE TABLE t (x)")
    pool = ReadPool(lambda: open_reader(tmp_path / "memory.db"))
    with pytest.raises(StoreUnavailable), pool.reader() as reader:
        reader.execute("INSERT INTO t VALUES (1)")
    writer.execute("INSERT INTO t VALUES (2)")
    with pool.reader() as reader:
        assert reader.execute("SELECT x FROM t").fetchall() == [(2,)]
    pool.close()
    writer.close()


def test_readers_are_used_again_and_snapshots_end_with_the_block(tmp_path: Path) -> None:
    writer = opened(tmp_path / "memory.db")
    writer.execute("CREATE TABLE t (x)")
    made = []

    def make() -> sqlite3.Connection:
        made.append(open_reader(tmp_path / "memory.db"))
        return made[-1]

    pool = ReadPool(make)
    with pool.reader() as first:
        first.execute("BEGIN")
        assert first.execute("SELECT count(*) FROM t").fetchone() == (0,)
        with pool.reader() as second:
            assert second is not first
    writer.execute("INSERT INTO t VALUES (1)")
    with pool.reader() as again:
        assert again.execute("SELECT count(*) FROM t").fetchone() == (1,)
    assert len(made) == 2
    pool.close()
    with pytest.raises(StoreUnavailable), pool.reader():
        pass
    writer.close()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_BUSY, StoreUnavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreUnavailable),
        (sqlite3.SQLITE_LOCKED, StoreUnavailable),
        (sqlite3.SQLITE_FULL, StoreUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, StoreUnavailable),
        (sqlite3.SQLITE_READONLY, StoreUnusable),
        (sqlite3.SQLITE_CORRUPT, CorruptRecord),
        (sqlite3.SQLITE_NOTADB, CorruptRecord),
    ],
)
def test_errors_are_translated_by_code(code: int, expected: type[Exception]) -> None:
    error = sqlite3.OperationalError("driver's words")
    error.sqlite_errorcode = code
    assert type(translate(error)) is expected


def test_other_errors_are_not_translated() -> None:
    assert translate(ValueError("ours")) is None
    assert isinstance(translate(UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates")), InvalidInput)
