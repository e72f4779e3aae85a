"""`mcp-memory ui` finds the server of a memory, or serves the pages itself."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from mcp_memory.pages import entering

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM is POSIX")


def started(data_dir: Path, *command: str) -> "subprocess.Popen[str]":
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_")}
    own = {"MCP_MEMORY_DATA_DIR": str(data_dir), "MCP_MEMORY_EMBEDDING__PROVIDER": "off", "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-m", "mcp_memory", *command]
    return subprocess.Popen(argv, cwd=data_dir, env=clean | own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def link_of(popen: "subprocess.Popen[str]") -> str:
    assert popen.stdout is not None
    return popen.stdout.readline().strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_it_serves_the_pages_itself_and_the_next_call_finds_that_server(tmp_path: Path) -> None:
    with started(tmp_path, "ui", "--no-open") as serving:
        try:
            first = link_of(serving)
            with started(tmp_path, "ui", "--no-open") as asking:
                second = link_of(asking)
                assert asking.wait(60) == 0
            assert first.partition("/ui/")[0] == second.partition("/ui/")[0]
            for link in (first, second):
                with httpx2.Client(trust_env=False, timeout=60, follow_redirects=True) as client:
                    assert "Today" in client.get(link).text
        finally:
            serving.terminate()
            assert serving.wait(60) is not None
    assert entering.announced(tmp_path) is None


def test_a_server_with_a_token_gives_a_stranger_a_page_and_no_memory(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    with started(tmp_path, "serve", "--port", str(port), "--token-file", str(tokens(tmp_path))) as serving:
        try:
            until = time.monotonic() + 60
            while entering.announced(tmp_path) is None and time.monotonic() < until:
                assert serving.poll() is None
                time.sleep(0.05)  # until it listens: the file is the announcement
            with httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
                assert client.post("/mcp", json={}).status_code == 401
                assert "mcp-memory ui" in client.get("/ui/attempts").text
                assert client.get("/readyz").status_code in (200, 503)
                found = entering.announced(tmp_path)
                assert found is not None
                assert client.get(found.link()).status_code == 303
                assert client.get("/ui").status_code == 200
                assert client.post("/mcp", json={}).status_code == 401
        finally:
            serving.terminate()
            serving.wait(60)


def tokens(folder: Path) -> Path:
    from mcp_memory.server.token_file import create_token

    file = folder / "tokens"
    create_token(file, "ann")
    return file
