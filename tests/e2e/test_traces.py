"""Spans of calls, as a collector gets them: by OTLP from a real server, and by the SDK's own exporter within one process."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.wire import ROOT

SECRET = "the-words-of-a-task"


def environment(folder: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MCP_MEMORY_", "OTEL_"))}
    ours = {"MCP_MEMORY_DATA_DIR": str(folder), "MCP_MEMORY_EMBEDDING__PROVIDER": "off", "PYTHONPATH": str(ROOT)}
    return clean | ours | more


def spans_in_process(folder: Path, **more: str) -> list[dict[str, Any]]:
    env = environment(folder, **more)
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.traced_server", SECRET],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_every_call_has_one_span_with_tool_outcome_and_duration_and_children_for_what_it_waited_for(tmp_path: Path) -> None:
    spans = spans_in_process(tmp_path, MCP_MEMORY_SERVER__TRACES="otlp")
    calls = {span["attributes"]["gen_ai.tool.name"]: span for span in spans if span["name"].startswith("tools/call ")}
    outcomes = {tool: span["attributes"]["mcp_memory.outcome"] for tool, span in calls.items()}
    assert outcomes == {"complete_episode": "ok", "recall": "ok", "get_episode": "not_found"}
    assert calls["get_episode"]["status"]["status_code"] == "ERROR"
    assert all(span["start_time"] < span["end_time"] for span in calls.values())
    children = {tool: {s["name"] for s in spans if s["parent_id"] == call["context"]["span_id"]} for tool, call in calls.items()}
    assert "store_write" in children["complete_episode"]
    assert {"recall", "recall_search"} <= children["recall"]
    assert SECRET not in json.dumps(spans), "no contents"


def test_without_the_setting_a_call_has_neither_our_outcome_nor_children(tmp_path: Path) -> None:
    spans = spans_in_process(tmp_path)
    assert [span["name"] for span in spans if span["name"].startswith("tools/call ")] != [], (
        "the MCP library's own are the program's affair"
    )
    assert "mcp_memory.outcome" not in json.dumps(spans)
    assert all(not span["name"].startswith(("recall", "store_write")) for span in spans)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes what OTLP over HTTP sends."""

    received: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        type(self).received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    received: list[tuple[str, bytes]] = []
    handler = type("Taking", (Collector,), {"received": received})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_sends_its_spans_where_the_environment_says_before_it_ends(
    tmp_path: Path, collector: tuple[str, list[tuple[str, bytes]]]
) -> None:
    address, received = collector
    env = environment(tmp_path, MCP_MEMORY_SERVER__TRACES="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_SERVICE_NAME="our-memory")
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    frames = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "recall", "arguments": {"query": SECRET}}},
    ]
    told = "".join(json.dumps(frame) + "\n" for frame in frames)
    command = [sys.executable, "-m", "mcp_memory", "stdio"]
    done = subprocess.run(command, input=told, env=env, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert [path for path, _ in received] != []
    assert {path for path, _ in received} == {"/v1/traces"}
    sent = b"".join(body for _, body in received)
    assert b"tools/call recall" in sent
    assert b"our-memory" in sent
    assert b"recall_search" in sent
    assert SECRET.encode() not in sent


def test_without_the_library_the_setting_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys\nsys.modules['opentelemetry.sdk.trace'] = None\nfrom mcp_memory.server.tracing import Tracing\nTracing('1')"
    env = environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "ConfigError" in done.stderr
    assert "needs OpenTelemetry" in done.stderr


def test_without_the_setting_nothing_of_the_sdk_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom mcp_memory.config_sources import load_config\nfrom mcp_memory.server.app import build_server\n"
        "from mcp_memory.server.lifecycle import MemoryHost\nbuild_server(MemoryHost(load_config()), 'core')\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    env = environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_where_nobody_listens_no_call_is_made_a_span(tmp_path: Path) -> None:
    code = (
        "from mcp_memory.config_sources import load_config\nfrom mcp_memory.server.app import build_server\n"
        "from mcp_memory.server.lifecycle import MemoryHost\nprint(build_server(MemoryHost(load_config()), 'core').server.middleware)"
    )
    env = environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "[]", done.stderr
