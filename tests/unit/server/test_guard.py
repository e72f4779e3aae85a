"""Tokens, names and streams: what the guard lets through."""

import hashlib
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcp_memory.config import ServerConfig
from mcp_memory.domain.addresses import is_loopback
from mcp_memory.errors import ConfigError
from mcp_memory.server.auditing import AuditLog
from mcp_memory.server.auth import Authentication
from mcp_memory.server.binding import require_safe_bind
from mcp_memory.server.guard import Guard
from mcp_memory.server.token_file import Holder, create_token, read_tokens, revoke_token

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
    assert read_tokens(f"ann=sha256:{digest}").holder(TOKEN) == Holder("ann")


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


@pytest.mark.parametrize(
    "origin",
    [
        "http://[::1].evil.example",
        "http://[::1]evil.example",
        "http://localhost@evil.example",
        "http://evil.example#localhost",
        "http://localhost:80.evil.example",
        "http://localhost:x",
        "http://localhost/",
        "http://localhost ",
        "ftp://localhost",
        "//localhost",
        "localhost",
        "http://",
        "http://[::1",
    ],
)
async def test_an_origin_is_compared_whole(origin: str) -> None:
    assert await status_of(guard_of(), origin=origin) == 403
    assert await status_of(guard_of(), origin="http://[::1]:8080") == 200


async def test_a_host_is_compared_whole() -> None:
    for host in ("[::1].evil.example", "localhost:80.evil.example", "localhost@evil.example", "localhost:", "evil.example:localhost"):
        assert await status_of(guard_of(), host=host) == 421


class Passed:
    """An application that counts what reaches it, and stays open until told."""

    def __init__(self) -> None:
        self.reached = 0
        self.release = anyio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.release.wait()


async def test_a_revoked_tokens_open_stream_is_closed_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    ann, bob = create_token(path, "ann"), create_token(path, "bob")
    config, app, ended = ServerConfig(token_file=str(path)), Passed(), list[str]()
    one_ended = anyio.Event()
    guard = Guard(app, config, Authentication(config), recheck_s=0.02)

    async def listen(name: str, token: str) -> None:
        await status_of(guard, "/mcp", "POST" if name == "bob" else "GET", authorization=f"Bearer {token}")
        ended.append(name)
        one_ended.set()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(listen, "ann", ann)
            group.start_soon(listen, "bob", bob)
            await anyio.wait_all_tasks_blocked()
            assert app.reached == 2
            revoke_token(path, "ann")
            await one_ended.wait()
            assert ended == ["ann"]
            app.release.set()
    assert ended == ["ann", "bob"]


async def test_one_token_has_half_of_the_streams_at_most() -> None:
    config, app = ServerConfig(token=f"{TOKEN}, another-token-of-good-length", max_connections=10), Passed()
    guard = Guard(app, config, Authentication(config))
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(lambda: status_of(guard, "/sse", "GET", authorization=f"Bearer {TOKEN}"))
        await anyio.wait_all_tasks_blocked()
        assert await status_of(guard, "/sse", "GET", authorization=f"Bearer {TOKEN}") == 503
        group.start_soon(lambda: status_of(guard, "/sse", "GET", authorization="Bearer another-token-of-good-length"))
        await anyio.wait_all_tasks_blocked()
        assert app.reached == 5
        app.release.set()


async def test_refused_logins_are_in_the_audit_log_with_the_address_one_a_second(tmp_path: Path) -> None:
    config, log = ServerConfig(token=TOKEN), AuditLog(str(tmp_path / "audit.jsonl"))
    guard = Guard(passes, config, Authentication(config), log=log)
    now = [0.0]
    guard._refusals._clock = lambda: now[0]
    for _ in range(50):
        await status_of(guard, authorization="Bearer wrong", x_forwarded_for="6.6.6.6")
    now[0] = 2.0
    await status_of(guard)
    await status_of(guard, authorization=f"Bearer {TOKEN}")
    rows = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["who"], row["tool"], row["outcome"]) for row in rows] == [
        ("unknown, from ?", "login", "refused"),
        ("unknown, from ?, and 49 more since the last line", "login", "refused"),
    ]


async def test_an_open_path_is_answered_without_a_token_but_its_connection_stays_a_strangers() -> None:
    config, known = ServerConfig(token=TOKEN), []

    def became_known(holder: str) -> bool:
        known.append(holder)
        return True

    def opens(scope: Any) -> bool:
        return bool(scope["path"] == "/ui")

    def admits(scope: Any) -> bool:
        return any(name == b"cookie" for name, _ in scope["headers"])

    guard = Guard(passes, config, Authentication(config), admits=[admits], opens=[opens])

    async def status(path: str, *headers: tuple[bytes, bytes]) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        state = {"mcp_memory.known": became_known}
        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "state": state}
        await guard(scope | {"headers": [(b"host", b"localhost"), *headers]}, lambda: None, send)  # type: ignore[arg-type, return-value]
        return int(sent[0]["status"])

    assert (await status("/ui"), known) == (200, [])
    assert (await status("/mcp"), known) == (401, [])
    assert (await status("/ui", (b"cookie", b"good")), known) == (200, [""])
    assert (await status("/ui", (b"origin", b"https://evil.example")), known) == (403, [""])
