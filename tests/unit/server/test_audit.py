"""The audit log: who, what, which records, how it went; never what was in them, and never in the way of a call."""

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from mcp_memory.config import ServerConfig
from mcp_memory.errors import ConfigError
from mcp_memory.server.auditing import BACKUPS, AuditLog
from tests.unit.server.conftest import Connect

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.anyio
async def test_the_audit_log_names_who_what_and_how_but_no_content(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.jsonl"
    async with connect(server=ServerConfig(audit_log=str(path))) as client:
        await client.call_tool("start_episode", {"task": "a secret task"})
        await client.call_tool("log_step", {"episode_id": "ep0", "tool": "bash", "observation": "a secret sight"})
        await client.call_tool("log_step", {"episode_id": "nope", "tool": "bash"})
        await client.call_tool("recall", {"query": "a secret", "bogus": 1})
    rows = rows_of(path)
    assert [(row["tool"], row["ids"], row["outcome"]) for row in rows] == [
        ("start_episode", ["ep0"], "ok"),
        ("log_step", ["ep0"], "ok"),
        ("log_step", ["nope"], "not_found"),
        ("recall", [], "invalid_arguments"),
    ]
    assert "secret" not in path.read_text()
    assert {row["who"] for row in rows} == {"stdio"}
    assert all(set(row) == {"at", "who", "tool", "ids", "outcome", "duration_ms"} for row in rows)


@pytest.mark.anyio
async def test_reading_through_resources_and_prompts_is_recorded_too(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with connect(server=ServerConfig(audit_log=str(path))) as client:
        await client.call_tool("start_episode", {"task": "x"})
        await client.read_resource("memory://episode/ep0")
        await client.read_resource("memory://status")
        with pytest.raises(MCPError):
            await client.read_resource("memory://episode/nope")
        await client.get_prompt("wrap_up", {"episode_id": "ep0"})
    assert [(row["tool"], row["ids"], row["outcome"]) for row in rows_of(path)[1:]] == [
        ("resources/read", ["ep0"], "ok"),
        ("resources/read", [], "ok"),
        ("resources/read", ["nope"], "refused"),
        ("prompts/get", ["ep0"], "ok"),
    ]


def test_content_sent_in_the_place_of_an_id_stays_out(tmp_path: Path) -> None:
    log = AuditLog(str(tmp_path / "audit.jsonl"))
    log.record("ann", "get_episode", {"episode_id": "please print the password hunter2"}, {}, 1.0)
    log.record("ann", "get_episode", {"episode_id": TOKEN, "used_ids": ["e1", 5, None, "x" * 5_000]}, {}, 1.0)
    text = (tmp_path / "audit.jsonl").read_text()
    assert "hunter2" not in text
    assert TOKEN not in text
    assert [row["ids"] for row in rows_of(tmp_path / "audit.jsonl")] == [["(not an id)"], ["(not an id)", "e1"]]


def test_a_callers_name_cannot_forge_a_line(tmp_path: Path) -> None:
    log = AuditLog(str(tmp_path / "audit.jsonl"))
    log.record('eve\n{"at": "…", "who": "ann"}\u202e' + "x" * 500, "recall", {}, {}, 1.0)
    (row,) = rows_of(tmp_path / "audit.jsonl")
    assert row["who"].startswith("eve {")
    assert len(row["who"]) <= 120


def test_errors_are_recorded_by_code_and_cancelled_calls_as_such(tmp_path: Path) -> None:
    log = AuditLog(str(tmp_path / "audit.jsonl"))
    error = {"isError": True, "content": [{"type": "text", "text": "invalid_input: `task` is 'my secret'. Change it."}]}
    log.record("ann", "start_episode", {}, error, 1.0)
    log.record("ann", "recall", {}, None, 1.0)
    assert [row["outcome"] for row in rows_of(tmp_path / "audit.jsonl")] == ["invalid_input", "cancelled"]


def test_the_log_rotates_and_the_oldest_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_memory.server.auditing.MAX_BYTES", 1_000)
    log = AuditLog(str(tmp_path / "audit.jsonl"))
    for number in range(60):
        log.record("ann", "recall", {"episode_id": f"e{number}"}, {}, 1.0)
    files = sorted(tmp_path.iterdir())
    assert len(files) == BACKUPS + 1
    assert all(file.stat().st_size <= 1_000 for file in files)
    assert rows_of(tmp_path / "audit.jsonl")[-1]["ids"] == ["e59"]


WRITER = """
import sys
from mcp_memory.server import auditing
auditing.MAX_BYTES, auditing.BACKUPS = 20_000, 1_000
log = auditing.AuditLog(sys.argv[1])
for number in range(300):
    log.record(sys.argv[2], "recall", {"episode_id": f"{sys.argv[2]}-{number}"}, {}, 1.0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not rename a file that another process has open")
def test_several_processes_share_a_log_and_rotate_it_without_losing_a_line(tmp_path: Path) -> None:
    names = ("ann", "bob", "eve")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "audit.jsonl"), who]) for who in names]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    rows = [row["ids"][0] for file in tmp_path.iterdir() for row in rows_of(file)]
    assert sorted(rows) == sorted(f"{who}-{number}" for who in names for number in range(300))


def test_a_log_that_can_no_longer_be_written_fails_no_call_and_is_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "logs"
    log = AuditLog(str(folder / "audit.jsonl"))
    shutil.rmtree(folder)
    for _ in range(3):
        log.record("ann", "recall", {}, {}, 1.0)
    assert len(caplog.records) == 1
    folder.mkdir()
    log.record("ann", "recall", {}, {}, 1.0)
    assert len(rows_of(folder / "audit.jsonl")) == 1


def test_a_path_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="audit log"):
        AuditLog(str(tmp_path / "file" / "audit.jsonl"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_log_is_its_owners_only(tmp_path: Path) -> None:
    AuditLog(str(tmp_path / "audit.jsonl")).record("ann", "recall", {}, {}, 1.0)
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600
