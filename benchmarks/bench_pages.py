"""Every page of a memory, and an agent beside who looks at them: `python -m benchmarks.bench_pages DATA_DIR [--make EPISODES] [--beside]`.

    python -m benchmarks.bench_pages /tmp/large --make 100000 --beside

`--make` fills DATA_DIR first, with the episodes of `busy_memory`; that takes minutes, once. A server that runs on DATA_DIR is used, else
one is started. Prints wall times of sequential requests, and where the kernel tells it, the processor time the server spent on each.

`--beside`: an agent logs a step every 20 ms over HTTP, in turns alone, while somebody opens a page every second, and while pages are
asked for without a pause. All of it is work of one process, so this is the dearest case; agents on stdio have processes of their own.
"""

import argparse
import contextlib
import html
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx2
from mcp import Client

from benchmarks import busy_memory
from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.metrics import percentiles
from mcp_memory.pages import entering

REQUESTS = 40
QUERY = "fix+the+failing+import+of+pandas"
ROUNDS, ROUND_S, STEP_EVERY_S = 5, 8.0, 0.02
PAUSES_S = {"alone": None, "a page a second": 1.0, "pages without a pause": 0.0}  # of who looks at pages
LISTS = (
    "/ui",
    f"/ui/ask?q={QUERY}",
    "/ui/fork",
    "/ui/attempts",
    "/ui/attempts?outcome=failure",
    "/ui/attempts?q=report",
    "/ui/attempts?q=ticket",  # a word that every task has
    "/ui/attempts?q=ticket+log",
    "/ui/attempts?q=ticket&outcome=failure",
    "/ui/attempts?q=ticket&state=open",
    "/ui/learned",
    "/ui/learned?q=pytest",
    "/ui/map",
    "/ui/map?region=0",
    "/ui/files",
    "/ui/health",
)


def main(argv: list[str]) -> int:
    """Make, serve, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--make", type=int, default=0, metavar="EPISODES")
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--visit", type=float, help=argparse.SUPPRESS)  # how the benchmark starts who looks at pages
    asked = parser.parse_args(argv)
    if asked.visit is not None:
        return visit(asked.data_dir, asked.visit)
    if asked.make and not (asked.data_dir / "memory.db").exists():
        anyio.run(made, asked.data_dir, asked.make)
    with served(asked.data_dir) as server, entered(server) as client:
        measure(server, client)
        if asked.beside:
            anyio.run(beside, server, asked.data_dir)
    return 0


async def made(data_dir: Path, episodes: int) -> None:
    """Fill a data directory, and wait until everything in it is embedded."""
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        report = await memory.import_lines(busy_memory.lines(episodes, time.time_ns() // 1_000_000))
        await memory.settle()
        print(f"{report.added} episodes made")


@contextlib.contextmanager
def served(data_dir: Path) -> Iterator[entering.Server]:
    """Yield the server of the data directory's pages: the one that runs, else one of our own."""
    running = entering.announced(data_dir)
    if running is not None and Path(f"/proc/{running.pid}").exists():
        yield running
        return
    command = [sys.executable, "-m", "mcp_memory", "ui", "--no-open", "--data-dir", str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as popen:
        try:
            assert popen.stdout is not None
            popen.stdout.readline()
            server = entering.announced(data_dir)
            assert server is not None
            yield server
        finally:
            popen.terminate()


@contextlib.contextmanager
def entered(server: entering.Server) -> Iterator[httpx2.Client]:
    """Yield a browser that came in, and sees all projects."""
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=60, follow_redirects=True) as client:
        client.get(server.link()).raise_for_status()
        while "index is still loading" in client.get(LISTS[1]).text:
            time.sleep(0.5)
        yield client


def measure(server: entering.Server, client: httpx2.Client) -> None:
    """Ask for every page in turn and print its figures."""
    print(f"{'page':40} {'first ms':>9} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8}")
    for path in pages(client):
        first = one(client, path)  # it makes what later ones find
        before, taken = processor_s(server.pid), sorted(one(client, path) for _ in range(REQUESTS))
        spent = (processor_s(server.pid) - before) * 1000 / REQUESTS
        print(f"{path[:40]:40} {first:9.1f} {taken[REQUESTS // 2]:8.1f} {taken[int(REQUESTS * 0.95)]:8.1f} {spent:8.1f}")


def pages(client: httpx2.Client) -> list[str]:
    """Return the addresses of all pages, with one attempt, fork and pattern that are there."""
    found = [re.search(rf'href="({path}/[\w-]+)"', client.get(path).text) for path in ("/ui/fork", "/ui/learned")]
    attempt = re.search(r'href="(/ui/attempt/[\w-]+)"', client.get("/ui/attempts").text)
    second = re.search(r'href="(/ui/attempts\?[^"]*cursor=[^"]+)"', client.get("/ui/attempts?q=ticket").text)
    return [*LISTS, *(html.unescape(match[1]) for match in (*found, attempt, second) if match)]


def one(client: httpx2.Client, path: str) -> float:
    """Return how long a request took, in milliseconds."""
    started = time.perf_counter()
    client.get(path).raise_for_status()
    return (time.perf_counter() - started) * 1000


def visit(data_dir: Path, pause_s: float) -> int:
    """Open one page after the other until somebody ends this process."""
    server = entering.announced(data_dir)
    assert server is not None
    with entered(server) as client:
        while True:
            for path in pages(client):
                one(client, path)
                time.sleep(pause_s)


async def beside(server: entering.Server, data_dir: Path) -> None:
    """Print how long `log_step` takes alone and beside somebody who looks at pages."""
    taken: dict[str, list[float]] = {name: [] for name in PAUSES_S}
    async with Client(f"{server.url}/mcp") as agent:
        for _ in range(ROUNDS):
            for name, pause_s in PAUSES_S.items():
                with visited(data_dir, pause_s):
                    taken[name] += await steps(agent)
    alone = percentiles(sorted(taken["alone"]))["p95"]
    print(f"\n{'log_step':32} {'calls':>9} {'p50 ms':>8} {'p95 ms':>8} {'to alone':>8}")
    for name, values in taken.items():
        found = percentiles(sorted(values))
        print(f"{name:32} {len(values):9} {found['p50']:8.1f} {found['p95']:8.1f} {found['p95'] / alone:8.2f}")


@contextlib.contextmanager
def visited(data_dir: Path, pause_s: float | None) -> Iterator[None]:
    """While the block runs, a process of its own looks at pages; with None nobody does."""
    if pause_s is None:
        yield
        return
    command = [sys.executable, "-m", "benchmarks.bench_pages", str(data_dir), "--visit", str(pause_s)]
    with subprocess.Popen(command) as popen:
        try:
            time.sleep(1.5)  # until it has started; its imports are not what is measured
            yield
        finally:
            popen.terminate()


async def steps(agent: Client) -> list[float]:
    """Log steps for one round and return how long each took, in milliseconds."""
    started = await agent.call_tool("start_episode", {"task": "measure the pages", "recall": False, "project": "bench-pages"})
    assert started.structured_content is not None
    episode_id, until, taken = started.structured_content["episode_id"], time.perf_counter() + ROUND_S, []
    while time.perf_counter() < until:
        before = time.perf_counter()
        await agent.call_tool("log_step", {"episode_id": episode_id, "tool": "bash", "observation": "measured"})
        taken.append((time.perf_counter() - before) * 1000)
        await anyio.sleep(STEP_EVERY_S)
    await agent.call_tool("complete_episode", {"episode_id": episode_id, "outcome": "success"})
    return taken


def processor_s(pid: int) -> float:
    """Return the processor time a process has spent, NaN where the kernel does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
