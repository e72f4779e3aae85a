"""Hooks, and a server that every agent shares, mean the same project."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import anyio
from mcp import Client

from mcp_memory.hooks import wire


async def project_of_a_call(port: int) -> str:
    async with Client(f"http://127.0.0.1:{port}/mcp") as client:
        started = await client.call_tool("start_episode", {"task": "Fix the rounding of the cart"})
    assert started.structured_content is not None
    return str(started.structured_content["project"])


def test_over_http_a_call_is_in_the_project_that_hooks_record_in(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clients" / "api"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / ".git" / "config").write_text('[remote "origin"]\n\turl = git@github.com:acme/api.git\n')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = dict(os.environ) | {"MCP_MEMORY_DATA_DIR": str(data_dir), "MCP_MEMORY_EMBEDDING__PROVIDER": "off"}
    command = [sys.executable, "-m", "mcp_memory"]
    server = subprocess.Popen([*command, "serve", "--port", str(port)], env=env, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not wire.answers(str(data_dir / "hooks")):
            assert time.monotonic() < until
            time.sleep(0.05)  # until somebody answers: nothing announces it
        told = {"session_id": "s1", "cwd": str(folder), "prompt": "Fix the rounding of the cart"}
        hook = [*command, "hook", "user-prompt-submit", "--host", "claude-code", "--data-dir", str(data_dir)]
        subprocess.run(hook, input=json.dumps(told), text=True, env=env, check=True, timeout=60)
        assert anyio.run(project_of_a_call, port) == "github.com/acme/api"
    finally:
        server.terminate()
        server.wait(30)
