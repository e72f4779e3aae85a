"""The lifecycle hooks as an agent host runs them: one process an event, next to bare interpreters of the same run.

    python -m benchmarks.bench_hooks [--calls 60] [--episodes 300] [--json]

Run it with the interpreter of an environment into which a wheel was installed: that is what a user has. Measured are the command that
`install claude-code --hooks` writes and the `mcp-memory hook` script, with a stdio server that has the memory open and without any.
A prompt ends the turn before it (four steps), so its figure has that turn's close in it; a stop completes an episode.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import StdioServer, circumstances, summary, table, timed_ms
from benchmarks.workloads import lines
from mcp_memory.cli.install.launching import hook_command
from mcp_memory.hooks import wire

SESSION = {"cwd": "/work/shop", "transcript_path": "t.jsonl", "permission_mode": "default"}
TASK = "Averages crash when there are no values in the report of shop {}"
ERROR = "Exit code 1\nE  ZeroDivisionError: division by zero"


def script() -> list[str]:
    """Return the console script beside this interpreter, else the module."""
    found = shutil.which("mcp-memory", path=str(Path(sys.executable).parent))
    return [found] if found else [sys.executable, "-P", "-m", "mcp_memory"]


class Host:
    """Runs hooks as Claude Code does: a process each, JSON on stdin."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.command, self.env = command, env

    def __call__(self, event: str, session: int, **fields: Any) -> None:
        told = json.dumps(SESSION | {"session_id": f"s{session}"} | fields).encode()
        done = subprocess.run([*self.command, event], input=told, env=self.env, capture_output=True, check=True)
        assert not done.stderr, done.stderr

    def step(self, session: int, command: str = "ls") -> None:
        self("post-tool-use", session, tool_name="Bash", tool_input={"command": command}, tool_response={"stdout": "a" * 2000})


def measured(host: Host, calls: int) -> dict[str, dict[str, float]]:
    """Return the percentiles of each event, over as many sessions as calls."""
    durations: dict[str, list[float]] = {}
    for n in range(calls):
        for name, call in session(host, n):
            durations.setdefault(name, []).extend(timed_ms([call]))
    return {name: summary(values) for name, values in durations.items() if name != "not measured"}


def session(host: Host, n: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the events of a session of two tasks, to be called in turn."""
    failed = {"tool_name": "Bash", "tool_input": {"command": "pytest"}, "error": ERROR}
    yield "session-start", lambda: host("session-start", n, source="startup")
    yield "user-prompt-submit, first", lambda: host("user-prompt-submit", n, prompt=TASK.format(n))
    for _ in range(3):
        yield "post-tool-use", lambda: host.step(n)
    yield "post-tool-use, failed", lambda: host("post-tool-use", n, **failed)
    yield "user-prompt-submit", lambda: host("user-prompt-submit", n, prompt=f"Now rename the folder of the tests {n}")
    yield "not measured", lambda: host.step(n, "pytest -q")
    yield "stop, completing", lambda: host("stop", n, last_assistant_message="Done.")
    yield "session-end", lambda: host("session-end", n, reason="other")


@contextmanager
def stdio_server(data_dir: Path) -> Iterator[None]:
    """Run the server an agent host starts, until it keeps the door and has loaded the model."""
    with StdioServer("-P", "-m", "mcp_memory", "stdio", data_dir=data_dir) as server:
        while not wire.answers(str(data_dir / "hooks")):
            time.sleep(0.1)
        server.call("recall", query="What is loaded with the first query")
        yield


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    latency: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as data_dir:
        env = dict(os.environ) | {"MCP_MEMORY_DATA_DIR": data_dir}
        stored = "".join(line + "\n" for line in lines(arguments.episodes))
        subprocess.run([*script(), "import", "-", "--quiet"], input=stored.encode(), env=env, capture_output=True, check=True)
        os.makedirs(os.path.join(data_dir, "hooks"), exist_ok=True)
        for flags in ((), ("-I", "-S")):  # the second as hooks are run: without the search for packages
            bare = partial(subprocess.run, [sys.executable, *flags, "-c", "pass"], env=env, check=True)
            latency[" ".join(["bare interpreter", *flags])] = summary(timed_ms([bare] * arguments.calls))
        with stdio_server(Path(data_dir)):
            for name, command in (("installed", [*hook_command()]), ("script", [*script(), "hook"])):
                found = measured(Host(command, env), arguments.calls)
                latency |= {f"{name}, server: {event}": row for event, row in found.items()}
        found = measured(Host([*hook_command()], env), arguments.calls)
        latency |= {f"installed, alone: {event}": row for event, row in found.items()}
    result = {"circumstances": circumstances(), "latency_ms": latency}
    print(json.dumps(result, indent=1) if arguments.json else f"{result['circumstances']}\n{table('ms', latency)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
