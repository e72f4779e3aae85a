"""The lifecycle hooks as an agent host runs them: one process an event, with a resident server, next to a bare interpreter.

    python -m benchmarks.bench_hooks [--calls 60] [--json]

Run it from an installed copy, or after `python -m compileall mcp_memory`: without bytecode every hook compiles what it imports.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.harness import circumstances, summary, table, timed_ms
from mcp_memory.cli.hooks.link import HttpLink

SESSION = {"session_id": "bench", "cwd": "/work/shop"}
STEP = {"tool_name": "Bash", "tool_input": {"command": "ls"}}


def program() -> list[str]:
    """Return how an installed host calls us: the script beside this interpreter, else the module."""
    script = shutil.which("mcp-memory", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "mcp_memory"]


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measured(calls: int) -> dict[str, dict[str, float]]:
    """Return the percentiles of each event and of an interpreter that does nothing."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data_dir:
        env = dict(os.environ) | {"MCP_MEMORY_DATA_DIR": data_dir, "MCP_MEMORY_PORT": str(port)}
        server = subprocess.Popen([*program(), "serve"], env=env, stderr=subprocess.DEVNULL)
        try:
            while not HttpLink("127.0.0.1", port).answers():
                time.sleep(0.1)

            def hook(event: str, **fields: Any) -> Callable[[], Any]:
                text = json.dumps(SESSION | fields)
                return lambda: subprocess.run([*program(), "hook", event], input=text, env=env, capture_output=True, text=True, check=True)

            hook("user-prompt-submit", prompt="Make the mean of an empty list zero please")()
            durations = {
                "bare interpreter": timed_ms(
                    (lambda: subprocess.run([sys.executable, "-c", "pass"], env=env, check=True)) for _ in range(calls)
                ),
                "post-tool-use": timed_ms(hook("post-tool-use", **STEP, tool_response={"stdout": "a" * 500}) for _ in range(calls)),
                "post-tool-use, failed": timed_ms(hook("post-tool-use", **STEP, error="Exit code 1 ValueError: x") for _ in range(calls)),
                "user-prompt-submit": timed_ms(
                    hook("user-prompt-submit", session_id=f"s{n}", prompt=f"Averages crash when there are no values {n}")
                    for n in range(calls)
                ),
            }
        finally:
            server.terminate()
            server.wait()
    return {name: summary(values) for name, values in durations.items()}


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = {"circumstances": circumstances(), "latency_ms": measured(arguments.calls)}
    if arguments.json:
        print(json.dumps(result, indent=1))
        return 0
    print(result["circumstances"])
    print(table("ms", result["latency_ms"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
