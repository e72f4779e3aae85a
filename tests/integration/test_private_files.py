"""Nobody but the owner reads the memory: folder, database, cache, exports and archives, made or found."""

import gzip
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config, ServerConfig, StorageConfig
from mcp_memory.server.auditing import AuditLog
from mcp_memory.server.token_file import create_token
from tests.raw_client import server_environment

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")]


@pytest.fixture(autouse=True)
def loose_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if mode(path) & 0o077]


async def _use(config: Config) -> None:
    async with open_memory(config) as memory:
        started = await memory.start_episode("keep this to us", recall=True)
        await memory.complete_episode(started.episode_id, "success")


async def test_a_fresh_directory_is_its_owners_alone_and_a_loose_default_one_is_tightened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("MCP_MEMORY_DATA_DIR", raising=False)
    folder = Config().data_dir
    await _use(Config())
    assert not open_to_others(folder)
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    await _use(Config())
    assert mode(folder) == 0o700
    assert mode(folder / "memory.db") == 0o600
    assert mode(folder / "cache") == 0o700


async def test_a_named_folder_that_is_made_is_its_owners_alone_with_all_that_is_made_above_it(tmp_path: Path) -> None:
    await _use(Config(storage=StorageConfig(data_dir=str(tmp_path / "a" / "b"))))
    assert not open_to_others(tmp_path / "a")


async def test_a_folder_that_was_named_keeps_its_mode_and_the_database_in_it_is_private(tmp_path: Path) -> None:
    named = tmp_path / "project"
    named.mkdir(mode=0o755)
    await _use(Config(storage=StorageConfig(data_dir=str(named))))
    assert mode(named) == 0o755
    assert [path for path in open_to_others(named) if path != str(named)] == []


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
async def test_exports_are_private_also_over_a_loose_file(tmp_path: Path, name: str) -> None:
    data, out, victim = tmp_path / "data", tmp_path / name, tmp_path / "victim"
    await _use(Config(storage=StorageConfig(data_dir=str(data))))
    out.write_text("old")
    victim.write_text("mine")
    (tmp_path / f"{name}.part").symlink_to(victim)
    command = [sys.executable, "-m", "mcp_memory", "export", str(out)]
    await anyio.run_process(command, env=server_environment(data))
    assert mode(out) == 0o600
    assert victim.read_text() == "mine"
    content = gzip.decompress(out.read_bytes()) if name.endswith(".gz") else out.read_bytes()
    assert b"keep this to us" in content


async def test_archives_tokens_and_the_audit_log_are_private(tmp_path: Path) -> None:
    archive = tmp_path / "gone.jsonl"
    async with open_memory(Config(storage=StorageConfig(data_dir=str(tmp_path / "data")), server=ServerConfig())) as memory:
        started = await memory.start_episode("bad work", recall=False)
        await memory.complete_episode(started.episode_id, "failure")
        await memory.prune(below_reward=0.99, archive=str(archive), apply=True)
    tokens, audit = tmp_path / "tokens", tmp_path / "audit.jsonl"
    for path in (tokens, audit):
        path.touch(mode=0o644)
    create_token(tokens, "ann")
    AuditLog(str(audit))
    assert [mode(path) for path in (archive, tokens, audit)] == [0o600] * 3
