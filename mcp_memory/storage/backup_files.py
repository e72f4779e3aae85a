"""Backup files: a tar of a manifest and the compressed database. SQLite copies it page by page from one moment, also while others write."""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import zstandard

from mcp_memory import private
from mcp_memory.domain.backups import FORMAT, Backup, Manifest
from mcp_memory.errors import CorruptRecord, InvalidInput, MigrationError
from mcp_memory.storage.connection import APPLICATION_ID, Connection, open_reader, translated
from mcp_memory.storage.inspection import count_rows
from mcp_memory.storage.migrations import shipped
from mcp_memory.storage.tables import Tables

_MANIFEST, _DATABASE = "manifest.json", "memory.db.zst"
_LEVEL = 6  # a third of the size; higher ones take several times as long for some per cent
_BLOCK = 1 << 20
_MAX_MANIFEST_BYTES = 1 << 20


def write_backup(source: Path, target: Path, made_at_ms: int, program: str) -> Backup:
    """Copy the database at *source* into the new file *target*, which appears under its name when it is whole (blocking).

    Commits wait for nothing meanwhile. Raises InvalidInput: the file exists, or its folder does not; StoreUnavailable.
    """
    if target.exists():
        raise InvalidInput(f"{target} exists already", hint="Name another file.")
    if not target.parent.is_dir():
        raise InvalidInput(f"there is no folder {target.parent}")
    with _scratch(target, ".copy") as copy, _scratch(target, ".packed") as packed, _scratch(target, ".part") as part:
        _copy(source, copy)
        size, sha256 = _compressed(copy, packed)
        manifest = _described(copy, made_at_ms, program, size, sha256)
        with open(part, "r+b") as file, tarfile.open(fileobj=file, mode="w") as archive:
            _add(archive, _MANIFEST, io.BytesIO(json.dumps(asdict(manifest), indent=2).encode()), made_at_ms)
            with open(packed, "rb") as body:
                _add(archive, _DATABASE, body, made_at_ms)
        _sync(part)
        part.rename(target)
    return Backup(str(target), target.stat().st_size, manifest)


def read_backup(file: Path, into: Path) -> Manifest:
    """Write the database of a backup to the empty file *into*, when every byte and page of it is right (blocking).

    Raises InvalidInput: no backup; CorruptRecord: damaged; MigrationError: made by a newer version.
    """
    try:
        with tarfile.open(file, "r:") as archive:
            manifest = _manifest(archive)
            body = archive.extractfile(_DATABASE)
            assert body is not None
            sha256, size = hashlib.sha256(), 0
            with open(into, "r+b") as out:
                for block in zstandard.ZstdDecompressor().read_to_iter(body, read_size=_BLOCK):
                    size += len(block)
                    if size > manifest.size_bytes:
                        raise CorruptRecord(f"{file} is damaged: its database is longer than its manifest says")
                    sha256.update(block)
                    out.write(block)
    except (tarfile.TarError, KeyError, AssertionError, OSError) as error:
        raise InvalidInput(f"{file} is no backup of a memory, or cannot be read: {error}", hint="`mcp-memory backup` makes one.") from error
    except zstandard.ZstdError as error:
        raise CorruptRecord(f"{file} is damaged: {error}", hint="Use another backup.") from error
    if (size, sha256.hexdigest()) != (manifest.size_bytes, manifest.sha256):
        raise CorruptRecord(f"{file} is damaged: its bytes are not those of its manifest", hint="Use another backup.")
    with translated(), closing(open_reader(into)) as connection:
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            raise InvalidInput(f"{file} holds a database of another program")
        if (found := connection.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise CorruptRecord(f"the database in {file} is damaged: {found}", hint="Use another backup.")
    return manifest


def _manifest(archive: tarfile.TarFile) -> Manifest:
    member = archive.getmember(_MANIFEST)
    held = archive.extractfile(member)
    assert held is not None
    try:
        found = json.loads(held.read(_MAX_MANIFEST_BYTES))
        newer = found["format"] > FORMAT or found["schema_version"] > shipped()[-1].version
        manifest = Manifest(**{name: found[name] for name in Manifest.__dataclass_fields__})
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptRecord(f"the manifest of the backup is damaged: {error}", hint="Use another backup.") from error
    if newer:
        raise MigrationError(f"the backup was made by a newer version of the program ({manifest.program})")
    return manifest


def _copy(source: Path, copy: Path) -> None:
    """All pages in one step: in steps, every commit of another process would begin the copy anew."""
    with translated(), closing(open_reader(source)) as live, closing(sqlite3.connect(copy)) as written:
        live.backup(written, pages=-1)


def _described(copy: Path, made_at_ms: int, program: str, size: int, sha256: str) -> Manifest:
    with translated(), closing(open_reader(copy)) as connection:
        tables = Tables(connection)
        counts = {name: n for name, n in count_rows(tables).items() if n}
        return Manifest(
            made_at_ms, program, tables.value("schema_version"), tables.value("replica"), tables.value("last_change"), counts, size, sha256
        )


def _compressed(source: Path, target: Path) -> tuple[int, str]:
    sha256, size = hashlib.sha256(), 0
    with open(source, "rb") as file, open(target, "r+b") as raw, zstandard.ZstdCompressor(level=_LEVEL).stream_writer(raw) as out:
        while block := file.read(_BLOCK):
            size += len(block)
            sha256.update(block)
            out.write(block)
    return size, sha256.hexdigest()


def _add(archive: tarfile.TarFile, name: str, body: IO[bytes], made_at_ms: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = body.seek(0, os.SEEK_END), made_at_ms // 1000, private.FILE
    body.seek(0)
    archive.addfile(entry, body)


@contextmanager
def _scratch(target: Path, suffix: str) -> Iterator[Path]:
    """Yield an empty private file beside *target*, gone afterwards."""
    path = target.with_name(f".{target.name}.{os.getpid()}{suffix}")
    os.close(private.create(path))
    try:
        yield path
    finally:
        for left in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm"), path.with_name(path.name + "-journal")):
            left.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def mint_replica(connection: Connection) -> str:
    """Give a copy of a memory an id of its own, and return it: two directories of one id would take each other's writes for theirs."""
    connection.execute("UPDATE replica SET id = lower(hex(randomblob(16)))")
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'own_file'").fetchone():  # not in a backup of an earlier schema
        connection.execute("DELETE FROM own_file")  # the id is that of whatever file opens it first
    new: str = connection.execute("SELECT id FROM replica").fetchone()[0]
    return new
