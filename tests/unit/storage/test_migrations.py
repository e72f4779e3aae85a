"""Numbered migrations: applied once, recorded with their hash, refused when they do not fit."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_memory.errors import CorruptRecord, InternalError, MigrationError
from mcp_memory.storage.connection import Connection, open_writer
from mcp_memory.storage.migrations import SCHEMA_SHA256, Migration, fingerprint, migrate, require_schema, shipped

FIRST = Migration(1, "0001_first", "-- a comment; with a semicolon\nCREATE TABLE a (x TEXT DEFAULT ';');\nINSERT INTO a VALUES ('b;c');\n")
SECOND = Migration(2, "0002_second", "ALTER TABLE a ADD COLUMN y;\n")
BROKEN = Migration(2, "0002_broken", "ALTER TABLE a ADD COLUMN y;\nINSERT INTO missing VALUES (1);\n")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], Connection]]:
    made: list[Connection] = []

    def make() -> Connection:
        made.append(open_writer(tmp_path / "memory.db", synchronous="OFF", busy_timeout_ms=100, deadline_ms=5_000))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def apply(connection: Connection, *migrations: Migration) -> int:
    return migrate(connection, lambda: 7, 5_000, migrations)


def columns(connection: Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(a)")]


def test_shipped_migrations_are_numbered_from_one_and_build_a_sound_database(opened: Callable[[], Connection]) -> None:
    assert [m.version for m in shipped()] == list(range(1, len(shipped()) + 1))
    connection = opened()
    assert migrate(connection, lambda: 7, 1_000) == len(shipped())
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_fingerprint_is_of_what_the_shipped_migrations_make(opened: Callable[[], Connection]) -> None:
    connection = opened()
    migrate(connection, lambda: 7, 1_000)
    assert fingerprint(connection) == SCHEMA_SHA256
    connection.execute("CREATE INDEX of_a_person ON episode (task)")
    require_schema(connection)
    connection.execute("ALTER TABLE step RENAME COLUMN body TO bodx")
    with pytest.raises(CorruptRecord):
        require_schema(connection)


def test_each_is_applied_once_and_recorded(opened: Callable[[], Connection]) -> None:
    connection = opened()
    assert apply(connection, FIRST) == 1
    assert apply(connection, FIRST, SECOND) == 2
    assert apply(connection, FIRST, SECOND) == 2
    assert columns(connection) == ["x", "y"]
    assert connection.execute("SELECT * FROM a").fetchall() == [("b;c", None)]
    recorded = connection.execute("SELECT version, name, sha256, applied_at_ms FROM schema_migration ORDER BY version").fetchall()
    assert recorded == [(1, "0001_first", FIRST.sha256, 7), (2, "0002_second", SECOND.sha256, 7)]


def test_a_failing_migration_leaves_the_schema_as_it_was(opened: Callable[[], Connection]) -> None:
    connection = opened()
    apply(connection, FIRST)
    with pytest.raises(InternalError):
        apply(connection, FIRST, BROKEN)
    assert columns(connection) == ["x"]
    assert apply(connection, FIRST, SECOND) == 2


def test_a_newer_schema_is_refused(opened: Callable[[], Connection]) -> None:
    connection = opened()
    apply(connection, FIRST, SECOND)
    with pytest.raises(MigrationError) as raised:
        apply(connection, FIRST)
    assert "Upgrade" in raised.value.hint


def test_an_edited_migration_is_refused(opened: Callable[[], Connection]) -> None:
    connection = opened()
    apply(connection, FIRST)
    with pytest.raises(MigrationError, match="edited"):
        apply(connection, Migration(1, FIRST.name, FIRST.text + "-- changed\n"))


def test_several_processes_starting_at_once_apply_it_once(opened: Callable[[], Connection]) -> None:
    connections = [opened() for _ in range(6)]
    barrier, errors = threading.Barrier(6), []

    def start(connection: Connection) -> None:
        barrier.wait(5)
        try:
            apply(connection, FIRST, SECOND)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=start, args=(c,)) for c in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert errors == []
    assert connections[0].execute("SELECT count(*) FROM a").fetchone() == (1,)
