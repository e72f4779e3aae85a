"""Sessions, CORS and addresses of the real HTTP application."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.routing import BaseRoute
from starlette.testclient import TestClient
from starlette.types import Scope

from mcp_memory.config import Config, ServerConfig
from mcp_memory.server import sessions
from mcp_memory.server.app import build_server
from mcp_memory.server.auth import Authentication
from mcp_memory.server.http import http_app
from mcp_memory.server.lifecycle import MemoryHost
from tests.e2e.wire import INITIALIZE
from tests.unit.server.fake_memory import FakeMemory

TOKENS = {"ann": "a-token-of-good-length", "bob": "another-token-of-good-length"}
PAGE = "https://app.example"
ACCEPT = {"Accept": "application/json, text/event-stream"}


@asynccontextmanager
async def open_fake(config: Config) -> AsyncIterator[FakeMemory]:
    yield FakeMemory()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr(sessions.Sessions.__init__, "__defaults__", (3,))
    config = Config(
        server=ServerConfig(token=" ".join(TOKENS.values()), allowed_origins=PAGE, public_url="https://memory.example", tools="full")
    )
    host = MemoryHost(config, open_fake)  # type: ignore[arg-type]
    app = http_app(build_server(host, "full"), host, Authentication(config.server))
    with TestClient(app, base_url="https://memory.example", follow_redirects=False) as made:
        yield made


def post(client: TestClient, method: str, who: str = "ann", path: str = "/mcp", params: Any = None, **headers: str) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    return client.post(path, json=body, headers={"Authorization": f"Bearer {TOKENS[who]}"} | ACCEPT | headers)


def opened(client: TestClient, who: str = "ann", **headers: str) -> str:
    answer = post(client, "initialize", who, params=INITIALIZE, **headers)
    assert answer.status_code == 200
    found: str = answer.headers["Mcp-Session-Id"]
    return found


def alive(client: TestClient, session: str, who: str = "ann") -> bool:
    return bool(post(client, "ping", who, **{"Mcp-Session-Id": session}).status_code == 200)


def test_a_token_has_its_share_of_sessions_and_takes_no_one_elses(client: TestClient) -> None:
    bobs, first, second = opened(client, "bob"), opened(client), opened(client)
    assert alive(client, first)  # so that `second` is the least recently used
    for _ in range(2):
        opened(client)
    assert alive(client, first)
    assert not alive(client, second)
    for _ in range(20):
        opened(client)
    assert alive(client, bobs, "bob")
    assert not alive(client, first)


def test_an_initialize_with_the_id_of_an_earlier_servers_session_opens_a_new_one(client: TestClient) -> None:
    stale = {"Mcp-Session-Id": "0123456789abcdef0123456789abcdef"}
    session = opened(client, **stale)
    assert session != stale["Mcp-Session-Id"]
    assert alive(client, session)
    assert post(client, "ping", **stale).status_code == 404
    bobs = opened(client, "bob")
    assert opened(client, "ann", **{"Mcp-Session-Id": bobs}) != bobs, "another's session is as unknown as none"


def test_a_slash_at_the_end_is_served_and_nothing_is_redirected(client: TestClient) -> None:
    assert post(client, "initialize", path="/mcp/", params=INITIALIZE).status_code == 200
    for path in ("/mcp/", "/sse/", "/messages", "/healthz/", "/metrics/"):
        assert client.get(path).status_code in (401, 404, 405), path


def test_a_listed_page_may_ask_and_no_other(client: TestClient) -> None:
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, mcp-session-id, content-type"}
    allowed = client.options("/mcp", headers={"Origin": PAGE} | asking)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    assert "mcp-session-id" in allowed.headers["Access-Control-Allow-Headers"].lower()
    answered = post(client, "initialize", params=INITIALIZE, Origin=PAGE)
    assert answered.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Mcp-Session-Id" in answered.headers["Access-Control-Expose-Headers"]
    assert client.post("/mcp", headers={"Origin": PAGE}).headers["Access-Control-Allow-Origin"] == PAGE, "it may read why it is refused"
    for other in ("https://evil.example", "http://localhost:3000"):
        for answer in (client.options("/mcp", headers={"Origin": other} | asking), client.post("/mcp", headers={"Origin": other})):
            assert answer.status_code in (401, 403)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_an_unknown_tool_is_in_the_audit_log_with_who_asked(tmp_path: Any) -> None:
    path = tmp_path / "audit.jsonl"
    config = Config(server=ServerConfig(token=TOKENS["ann"], audit_log=str(path)))
    host = MemoryHost(config, open_fake)  # type: ignore[arg-type]
    with TestClient(http_app(build_server(host, "full"), host, Authentication(config.server)), base_url="http://localhost") as client:
        session = opened(client)
        asked = post(client, "tools/call", params={"name": "drop_all", "arguments": {}}, **{"Mcp-Session-Id": session})
        assert "Unknown tool" in asked.text
    assert '"who": "token-1", "tool": "(unknown tool)"' in path.read_text(encoding="utf-8")


class BrokenPart:
    """What it does beside its requests fails at once."""

    routes: Sequence[BaseRoute] = ()

    def admits(self, scope: Scope) -> bool:
        return False

    is_open = admits

    def listening(self, url: str) -> None:
        pass

    async def run(self) -> None:
        raise RuntimeError("the side feature is broken")


def test_a_part_that_fails_beside_its_requests_ends_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    host = MemoryHost(Config(), open_fake)  # type: ignore[arg-type]
    app = http_app(build_server(host, "full"), host, Authentication(Config().server), [BrokenPart()])
    with TestClient(app, base_url="http://localhost") as client:
        assert opened(client)
    assert "the side feature is broken" in caplog.text
