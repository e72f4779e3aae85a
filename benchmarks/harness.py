"""What the benchmarks share: a raw client of a stdio server, percentiles, memory, and the description of the machine and the code."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self

from mcp_memory.metrics import percentiles

ROOT = Path(__file__).parents[1]
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}


class StdioServer:
    """A server process and one request at a time. `started_ms` is from the process' start to the answer of `initialize`."""

    def __init__(self, *arguments: str, data_dir: Path | None = None) -> None:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MCP_MEMORY_")}
        if data_dir is not None:
            clean["MCP_MEMORY_DATA_DIR"] = str(data_dir)
        self._next_id = 0
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT, env=clean
        )
        self.request("initialize", INITIALIZE)
        self.started_ms = (time.perf_counter() - started) * 1000
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def _send(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def request(self, method: str, params: Any) -> dict[str, Any]:
        """Return the result of a request. Raises RuntimeError: an error came back, or nothing."""
        assert self._process.stdout is not None
        self._next_id += 1
        self._send({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params})
        while line := self._process.stdout.readline():
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == self._next_id:
                if "result" not in message:
                    raise RuntimeError(message)
                result: dict[str, Any] = message["result"]
                return result
        raise RuntimeError("the server closed its output")

    def call(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Return a tool's structured answer. Raises RuntimeError: the tool refused."""
        result = self.request("tools/call", {"name": tool, "arguments": arguments})
        if result.get("isError"):
            raise RuntimeError(result["content"][0]["text"])
        content: dict[str, Any] = result["structuredContent"]
        return content

    def rss_mb(self) -> float | None:
        """Return the process' resident memory, in MB; None where the system does not tell."""
        try:
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return round(int(line.split()[1]) / 1024, 1)
        except OSError:
            return None
        return None


def timed_ms(calls: Iterable[Callable[[], Any]]) -> list[float]:
    """Run each call and return how long each took."""
    durations_ms = []
    for call in calls:
        started = time.perf_counter()
        call()
        durations_ms.append((time.perf_counter() - started) * 1000)
    return durations_ms


def summary(durations_ms: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the count."""
    return percentiles(sorted(durations_ms)) | {"n": len(durations_ms)}


def circumstances() -> dict[str, Any]:
    """Return what a figure is worth nothing without: machine, versions, commit."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False, cwd=ROOT)
    return {
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "load": [round(value, 1) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


def table(title: str, rows: dict[str, dict[str, Any]]) -> str:
    """Return rows of equal keys as an aligned text table."""
    columns = list(dict.fromkeys(key for row in rows.values() for key in row))
    width = max([len(title), *(len(name) for name in rows)])
    lines = [f"{title:<{width}} " + " ".join(f"{column:>10}" for column in columns)]
    for name, row in rows.items():
        lines.append(f"{name:<{width}} " + " ".join(f"{_cell(row.get(column)):>10}" for column in columns))
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def wins(scores: Sequence[float], others: Sequence[float]) -> float:
    """Return in how many pairs the first is higher than the second, a tie counting half: the AUC, times the number of pairs."""
    return sum((a > b) + 0.5 * (a == b) for a in scores for b in others)
