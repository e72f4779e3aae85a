"""The HTTP server as a process: both transports, both eras, the guard in front of every route, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from prometheus_client.parser import text_string_to_metric_families

from mcp_memory.config import Config, ServerConfig
from mcp_memory.errors import ConfigError
from mcp_memory.server.http import serve
from tests.e2e.wire import ENVELOPE, INITIALIZE, ROOT

TOKENS = {"ann": "a-token-of-good-length", "bob": "another-token-of-good-length"}
JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is POSIX")


class HttpServer:
    def __init__(self, popen: "subprocess.Popen[bytes]", url: str) -> None:
        self.popen, self.url = popen, url


@contextmanager
def running(data_dir: Path, **settings: str) -> Iterator[HttpServer]:
    """Start a server on a free port and wait until it is healthy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_")}
    own = {"MCP_MEMORY_DATA_DIR": str(data_dir), "MCP_MEMORY_PORT": str(port), "PYTHONPATH": str(ROOT)}
    with (data_dir / "server.log").open("ab") as log:
        popen = subprocess.Popen([sys.executable, "-m", "tests.e2e.fake_server", "http"], stderr=log, cwd=ROOT, env=clean | own | settings)
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 30
            while time.monotonic() < until and popen.poll() is None:
                try:
                    httpx2.get(url + "/healthz")
                    break
                except httpx2.TransportError:
                    time.sleep(0.05)  # until the port is open: nothing announces it
            yield HttpServer(popen, url)
        finally:
            if popen.poll() is None:
                popen.kill()
            popen.wait(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with running(tmp_path_factory.mktemp("open"), MCP_MEMORY_SERVER__MAX_BODY_BYTES="100000") as found:
        yield found


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with running(tmp_path_factory.mktemp("guarded"), MCP_MEMORY_TOKEN=" ".join(TOKENS.values())) as found:
        yield found


def post(url: str, method: str, params: Any, **headers: str) -> httpx2.Response:
    return httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers=JSON | headers)


def bearer(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[who]}"}


TARGETS: dict[str, tuple[Callable[[str], Any], str, str]] = {
    "http, newest era": (lambda url: url + "/mcp", "auto", "2026-07-28"),
    "http, older era": (lambda url: url + "/mcp", "legacy", "2025-11-25"),
    "sse, newest era": (lambda url: sse_client(url + "/sse"), "auto", "2026-07-28"),
    "sse, older era": (lambda url: sse_client(url + "/sse"), "legacy", "2025-11-25"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("target", list(TARGETS))
async def test_the_whole_walk_on_every_transport_and_era(server: HttpServer, target: str) -> None:
    connect, mode, version = TARGETS[target]
    async with Client(connect(server.url), mode=mode) as client:
        assert client.protocol_version == version
        assert len((await client.list_tools()).tools) == 20  # HTTP shows the full set
        started = await client.call_tool("start_episode", {"task": "fix it"})
        episode_id = started.structured_content["episode_id"]
        logged = await client.call_tool("log_step", {"episode_id": episode_id, "tool": "bash"})
        assert logged.structured_content == {"episode_id": episode_id, "step_index": 0}
        completed = await client.call_tool("complete_episode", {"episode_id": episode_id, "outcome": "success"})
        assert completed.structured_content["reward"]["score"] == 0.875
        assert (await client.read_resource(f"memory://episode/{episode_id}")).contents
        assert (await client.call_tool("log_step", {"episode_id": episode_id, "tool": "bash"})).is_error


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/", "/healthz", "/metrics", "/nothing"])
def test_the_guard_stands_in_front_of_every_route(server: HttpServer, path: str) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        assert httpx2.get(server.url + path, headers={"Host": host}).status_code == 421
    for origin in ("http://evil.example", "https://localhost.evil.example", "null", ""):
        assert httpx2.get(server.url + path, headers={"Origin": origin}).status_code == 403


def test_local_origins_and_names_pass(server: HttpServer) -> None:
    port = server.url.rpartition(":")[2]
    for headers in (
        {"Host": f"localhost:{port}"},
        {"Host": "[::1]"},
        {"Origin": f"http://localhost:{port}"},
        {"Origin": "https://127.0.0.1"},
    ):
        assert httpx2.get(server.url + "/healthz", headers=headers).json()["status"] in ("ready", "opening")


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/messages/", "/metrics", "/nothing"])
def test_without_the_token_nothing_is_served(guarded: HttpServer, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + TOKENS["ann"]}, {"Authorization": "Bearer"}):
        refused = httpx2.get(guarded.url + path, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert httpx2.get(guarded.url + path + "?token=" + TOKENS["ann"]).status_code == 401


def test_health_needs_no_token_and_tells_nothing(guarded: HttpServer) -> None:
    assert set(httpx2.get(guarded.url + "/healthz").json()) == {"status", "version"}


def test_a_session_belongs_to_the_token_that_opened_it(guarded: HttpServer) -> None:
    opened = post(guarded.url + "/mcp", "initialize", INITIALIZE, **bearer("ann"))
    session = {"Mcp-Session-Id": opened.headers["Mcp-Session-Id"], "Mcp-Protocol-Version": "2025-11-25"}
    assert post(guarded.url + "/mcp", "tools/list", {}, **session, **bearer("bob")).status_code == 404
    assert post(guarded.url + "/mcp", "tools/list", {}, **session, **bearer("ann")).status_code == 200


def test_bodies_over_the_limit_are_refused(server: HttpServer) -> None:
    assert post(server.url + "/mcp", "ping", {"pad": "x" * 100_001}).status_code == 413


def test_an_unknown_version_is_refused_with_the_known_ones(server: HttpServer) -> None:
    meta = {"_meta": ENVELOPE | {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}}
    refused = post(server.url + "/mcp", "tools/list", meta, **{"Mcp-Protocol-Version": "2099-01-01", "Mcp-Method": "tools/list"})
    assert refused.status_code == 400
    assert "2026-07-28" in str(refused.json()["error"]["data"])


def test_metrics_are_a_prometheus_page_about_the_process_too(server: HttpServer) -> None:
    page = httpx2.get(server.url + "/metrics")
    assert page.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family.type for family in text_string_to_metric_families(page.text)}
    assert families["mcp_memory_latency_seconds"] == "histogram"
    assert families["mcp_memory_build_info"] == "gauge"
    if sys.platform == "linux":
        assert families["process_resident_memory_bytes"] == "gauge"


def test_a_network_address_without_a_token_refuses_to_start() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::", "memory.example"):
        with pytest.raises(ConfigError, match="without a bearer token"):
            serve(Config(server=ServerConfig(host=host)))


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16 characters"):
        serve(Config(server=ServerConfig(token="short")))


@posix
@pytest.mark.anyio
async def test_sigterm_ends_it_while_streams_are_open(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        async with (
            Client(server.url + "/mcp") as client,
            client.listen(resource_subscriptions=["memory://status"]) as stream,
            httpx2.AsyncClient() as http,
            http.stream("GET", server.url + "/sse"),
        ):
            started = time.monotonic()
            server.popen.send_signal(signal.SIGTERM)
            with anyio.fail_after(10):
                assert [event async for event in stream] == []  # a clean end, not a broken stream
                status = await anyio.to_thread.run_sync(server.popen.wait, 10)
        assert status == 0
        assert time.monotonic() - started < 5
