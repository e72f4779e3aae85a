"""Tokens, names and streams: what the guard lets through."""

import hashlib
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory.config import ServerConfig
from mcp_memory.errors import ConfigError
from mcp_memory.server.auditing import AuditLog
from mcp_memory.server.auth import is_loopback, read_tokens, require_safe_bind
from mcp_memory.server.guard import Guard
from tests.unit.server.conftest import Connect

pytestmark = pytest.mark.anyio
TOKEN = "0123456789abcdef"


async def status_of(guard: Guard, path: str = "/mcp", method: str = "POST", **headers: str) -> int:
    """Return the status the guard answers, 200 where it lets a request through."""
    sent: list[Any] = []
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in ({"host": "localhost"} | headers).items()]

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("the guard reads no body")

    await guard({"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}, receive, send)
    return int(sent[0]["status"])


async def passes(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def guard_of(token: str = "", **settings: Any) -> Guard:
    return Guard(passes, ServerConfig(**settings), read_tokens(token))


async def test_a_hashed_token_is_accepted_like_the_token_itself() -> None:
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    for setting in (TOKEN, f"sha256:{digest}", f"ann=sha256:{digest}, {'x' * 20}"):
        guard = guard_of(setting)
        assert await status_of(guard, authorization=f"Bearer {TOKEN}") == 200
        assert await status_of(guard, authorization=f"bearer {TOKEN}") == 200
        assert await status_of(guard, authorization=f"Bearer sha256:{digest}") == 401
        assert await status_of(guard, authorization=f"Bearer {TOKEN}0") == 401
        assert await status_of(guard) == 401
    assert read_tokens(f"ann=sha256:{digest}").holder(TOKEN) == "ann"


async def test_on_the_network_an_address_is_a_good_host_and_a_foreign_name_is_not() -> None:
    guard = guard_of(TOKEN, host="0.0.0.0", allowed_hosts="memory.example")
    token = {"authorization": f"Bearer {TOKEN}"}
    for host in ("192.168.1.5:8765", "[2001:db8::1]:8765", "memory.example", "MEMORY.example:80", "localhost"):
        assert await status_of(guard, host=host, **token) == 200
    assert await status_of(guard, host="evil.example", **token) == 421
    assert await status_of(guard_of(), host="192.168.1.5") == 421


async def test_extra_origins_are_those_of_the_setting() -> None:
    guard = guard_of(allowed_origins="https://app.example, vscode-webview://x")
    assert await status_of(guard, origin="https://app.example") == 200
    assert await status_of(guard, origin="vscode-webview://x") == 200
    assert await status_of(guard, origin="http://app.example") == 403


async def test_open_streams_are_limited_and_leave_room_for_other_requests() -> None:
    release, opened = anyio.Event(), []

    async def stays_open(scope: Any, receive: Any, send: Any) -> None:
        opened.append(scope["path"])
        if scope["method"] == "GET":
            await release.wait()
        await passes(scope, receive, send)

    guard = Guard(stays_open, ServerConfig(max_connections=5), read_tokens(""))
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(lambda: status_of(guard, "/sse", "GET"))
        await anyio.wait_all_tasks_blocked()
        assert await status_of(guard, "/sse", "GET") == 503
        assert await status_of(guard, "/mcp", "GET") == 503
        assert await status_of(guard, "/mcp", "POST") == 200
        release.set()
    assert await status_of(guard, "/sse", "GET") == 200


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_only_this_machine_is_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
    if local:
        require_safe_bind(ServerConfig(host=host), read_tokens(""))
    else:
        with pytest.raises(ConfigError):
            require_safe_bind(ServerConfig(host=host), read_tokens(""))
        require_safe_bind(ServerConfig(host=host), read_tokens(TOKEN))


async def test_the_audit_log_names_who_what_and_how_but_no_content(connect: Connect, tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.jsonl"
    async with connect(server=ServerConfig(audit_log=str(path))) as client:
        await client.call_tool("start_episode", {"task": "a secret task"})
        await client.call_tool("log_step", {"episode_id": "ep0", "tool": "bash", "observation": "a secret sight"})
        await client.call_tool("log_step", {"episode_id": "nope", "tool": "bash"})
        await client.call_tool("recall", {"query": "a secret", "bogus": 1})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(row["tool"], row["ids"], row["outcome"]) for row in rows] == [
        ("start_episode", ["ep0"], "ok"),
        ("log_step", ["ep0"], "ok"),
        ("log_step", ["nope"], "not_found"),
        ("recall", [], "invalid_arguments"),
    ]
    assert "secret" not in path.read_text()
    assert {row["who"] for row in rows} == {"stdio"}


def test_the_audit_log_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_memory.server.auditing.MAX_BYTES", 1_000)
    log = AuditLog(str(tmp_path / "audit.jsonl"))
    for number in range(50):
        log.record("ann", "recall", {"episode_id": f"e{number}"}, {}, 1.0)
    log.close()
    files = sorted(tmp_path.iterdir())
    assert 2 <= len(files) <= 6
    assert all(file.stat().st_size <= 1_000 for file in files)
