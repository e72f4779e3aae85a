"""Tokens, names and streams: what the guard lets through."""

import hashlib
from typing import Any

import anyio
import pytest

from mcp_memory.config import ServerConfig
from mcp_memory.errors import ConfigError
from mcp_memory.server.auth import Authentication
from mcp_memory.server.binding import is_loopback, require_safe_bind
from mcp_memory.server.guard import Guard
from mcp_memory.server.token_file import read_tokens

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
    config = ServerConfig(token=token, **settings)
    return Guard(passes, config, Authentication(config))


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

    config = ServerConfig(max_connections=5)
    guard = Guard(stays_open, config, Authentication(config))
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
        require_safe_bind(ServerConfig(host=host), authenticated=False)
    else:
        with pytest.raises(ConfigError):
            require_safe_bind(ServerConfig(host=host), authenticated=False)
        require_safe_bind(ServerConfig(host=host), authenticated=True)
