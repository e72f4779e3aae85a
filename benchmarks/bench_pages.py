"""How long the server takes for each page: `python -m benchmarks.bench_pages DATA_DIR`, while `mcp-memory ui` or `serve` runs on it.

Prints wall times of sequential requests, and where the kernel tells it, the processor time the server spent on each.
"""

import os
import re
import sys
import time
from pathlib import Path

import httpx2

from mcp_memory.pages import entering

REQUESTS = 40
QUERY = "fix+the+failing+import+of+pandas"


def main(data_dir: str) -> int:
    """Ask for every page in turn and print its figures."""
    server = entering.announced(Path(data_dir))
    if server is None:
        print("no server announced itself there; run `mcp-memory ui --data-dir` on it first", file=sys.stderr)
        return 1
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        client.get(server.link())
        print(f"{'page':28} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8}")
        for path in pages(client):
            client.get(path)  # the first makes what later ones find
            before, taken = processor_s(server.pid), sorted(one(client, path) for _ in range(REQUESTS))
            spent = (processor_s(server.pid) - before) * 1000 / REQUESTS
            print(f"{path[:28]:28} {taken[REQUESTS // 2]:8.1f} {taken[int(REQUESTS * 0.95)]:8.1f} {spent:8.1f}")
    return 0


def pages(client: httpx2.Client) -> list[str]:
    """Return the addresses of all pages, with one attempt, fork and pattern that are there."""
    lists = ["/ui", f"/ui/ask?q={QUERY}", "/ui/fork", "/ui/attempts", "/ui/attempts?q=report", "/ui/learned", "/ui/files", "/ui/health"]
    found = [re.search(rf'href="({path}/[\w-]+)"', client.get(path).text) for path in ("/ui/fork", "/ui/learned")]
    attempt = re.search(r'href="(/ui/attempt/[\w-]+)"', client.get("/ui/attempts").text)
    return [*lists, *(match[1] for match in (*found, attempt) if match)]


def one(client: httpx2.Client, path: str) -> float:
    """Return how long a request took, in milliseconds."""
    started = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - started) * 1000


def processor_s(pid: int) -> float:
    """Return the processor time a process has spent, NaN where the kernel does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
