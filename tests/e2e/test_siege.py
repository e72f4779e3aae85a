"""The HTTP server under siege: holders of a token go on working."""

import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.e2e.test_http import JSON, TOKENS, bearer, running

ATTACKERS = 500
CALLS = 60
LOAD_MS = 20  # what the machine's other work may add to a p95 of a few milliseconds


@contextmanager
def besieging(url: str) -> Iterator[list[socket.socket]]:
    """Hold connections open that say nothing, or half a request."""
    host, _, port = url.removeprefix("http://").partition(":")
    held = []
    try:
        for number in range(ATTACKERS):
            held.append(socket.create_connection((host, int(port)), timeout=5))
            if number % 2:
                try:
                    held[-1].sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wro")
                except OSError:
                    continue  # closed already
        yield held
    finally:
        for connection in held:
            connection.close()


def p95_ms(url: str) -> float:
    """Return the 95th percentile of an honest client's calls, each on a connection of its own."""
    taken = []
    headers = JSON | bearer("ann") | {"Mcp-Protocol-Version": "2025-11-25", "Connection": "close"}
    with httpx2.Client() as client:
        for _ in range(CALLS):
            started = time.perf_counter()
            answer = client.post(url + "/mcp", json=_ping(), headers=headers)
            taken.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 400, answer.text  # no session: it got as far as the protocol
    return statistics.quantiles(taken, n=20)[-1]


def _ping() -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def test_five_hundred_silent_connections_shut_nobody_out(tmp_path: Path) -> None:
    with running(tmp_path, MCP_MEMORY_TOKEN=" ".join(TOKENS.values())) as server:
        p95_ms(server.url)  # warm
        quiet = p95_ms(server.url)
        with besieging(server.url):
            besieged = p95_ms(server.url)
        log = (tmp_path / "server.log").read_text(encoding="utf-8")
    print(f"p95 quiet {quiet:.1f} ms, besieged {besieged:.1f} ms")
    assert besieged <= max(2 * quiet, quiet + LOAD_MS)
    assert len(log) < 20_000 + 200 * CALLS * 3
