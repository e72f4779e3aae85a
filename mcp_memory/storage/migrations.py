"""Numbered SQL migrations, each applied in one transaction together with the record that it was applied and its hash.

An applied migration that was edited, and a file written by a newer version, are refused: guessing would risk the data.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mcp_memory.errors import CorruptRecord, MigrationError
from mcp_memory.ports import Clock
from mcp_memory.storage.connection import Connection, begin, is_complete_statement, translated

SCHEMA_SHA256 = (
    "6fc7e3658b0088f5ff642c3b8b55552dba0b3522894dfcace9326e518bfb957a"  # of what all migrations make; a test says what it must be
)
_CREATED = re.compile(r"^CREATE (?:UNIQUE |VIRTUAL )?(?:TABLE|INDEX) (\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def shipped() -> tuple[Migration, ...]:
    """Return the migrations of this version of the program, in order."""
    folder = resources.files("mcp_memory.storage") / "sql" / "migrations"
    found = []
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            text = file.read_text(encoding="utf-8").replace("\r\n", "\n")  # a checkout may rewrite line ends; the hash must not care
            found.append(Migration(int(file.name.split("_")[0]), file.name.removesuffix(".sql"), text))
    return tuple(found)


def migrate(connection: Connection, clock: Clock, deadline_ms: int, migrations: Sequence[Migration] | None = None) -> int:
    """Bring the schema up to date and return its version. Cheap (one read) when there is nothing to do; safe from several processes.

    Raises:
        MigrationError: The file is newer than the program, or an applied migration differs from the shipped one.
    """
    migrations = shipped() if migrations is None else migrations
    with translated():
        if _pending(connection, migrations):
            begin(connection, deadline_ms)
            try:
                for migration in _pending(connection, migrations):  # again: another process may have been faster
                    _apply(connection, migration, clock())
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    return migrations[-1].version


def require_schema(connection: Connection) -> None:
    """Compare the stored schema with what the shipped migrations make; one read. Raises CorruptRecord: it was changed."""
    with translated():
        found = fingerprint(connection)
    if found != SCHEMA_SHA256:
        raise CorruptRecord("the schema of memory.db is damaged, or another program changed it; the file is left as it is")


def fingerprint(connection: Connection) -> str:
    """Return a hash of the definitions of our tables and indexes; those that SQLite or a person adds do not count."""
    names = {name for migration in shipped() for name in _CREATED.findall(migration.text)}
    rows = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    return hashlib.sha256(repr([row for row in rows if row[0] in names]).encode()).hexdigest()


def _pending(connection: Connection, migrations: Sequence[Migration]) -> Sequence[Migration]:
    """Return the migrations still to be applied, after checking the applied ones."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_migration'").fetchone():
        return migrations
    applied = dict(connection.execute("SELECT version, sha256 FROM schema_migration"))
    known = {m.version: m for m in migrations}
    for version, sha256 in sorted(applied.items()):
        if version not in known:
            raise MigrationError(f"memory.db has schema {version}; this program knows schemas up to {migrations[-1].version}")
        if known[version].sha256 != sha256:
            raise MigrationError(
                f"migration {known[version].name} was edited after it had been applied to memory.db", hint="Reinstall the program."
            )
    return [m for m in migrations if m.version not in applied]


def _apply(connection: Connection, migration: Migration, at_ms: int) -> None:
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration"
        " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at_ms INTEGER NOT NULL)"
    )
    for statement in _statements(migration.text):
        connection.execute(statement)
    connection.execute("INSERT INTO schema_migration VALUES (?, ?, ?, ?)", (migration.version, migration.name, migration.sha256, at_ms))


def _statements(text: str) -> Iterator[str]:
    """Yield the statements of a script (`executescript` would commit the transaction that must also hold the record)."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if is_complete_statement(statement):
            yield statement
            statement = ""
