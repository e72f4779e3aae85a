"""Through the stdio server, next to the SDK's no-op floor, a bare commit and the query's embedding of the same run.

    python -m benchmarks.bench_door [--episodes 10000] [--calls 300] [--starts 7] [--json]

The server runs with its defaults (FULL synchronous, local model). Calls of the two servers alternate in rounds, so that a slow minute of
the machine is slow for both. The back-of-the-envelope bound of a durable call is the floor plus one fsync.
"""

import argparse
import asyncio
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import workloads
from benchmarks.harness import StdioServer, circumstances, summary, table, timed_ms
from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config, EmbeddingConfig, ServerConfig, StorageConfig
from mcp_memory.embedding.service import open_embedding
from mcp_memory.metrics import Metrics

ROUNDS = 5
WARM_UP_CALLS = 20
PROJECT = "bench"


def imported(data_dir: Path, episodes: int) -> dict[str, Any]:
    """Import generated episodes in this process, wait until all is embedded and indexed; return how long that took."""

    async def work() -> dict[str, Any]:
        config = Config(storage=StorageConfig(data_dir=str(data_dir)), server=ServerConfig(project=PROJECT))
        async with open_memory(config) as memory:
            started = time.perf_counter()
            report = await memory.import_lines(workloads.lines(episodes))
            committed = time.perf_counter()
            await memory.settle()
            settled = time.perf_counter()
            assert report.added == episodes, report
            return {"episodes": episodes, "import_s": round(committed - started, 1), "embed_s": round(settled - committed, 1)}

    return asyncio.run(work())


def starts(data_dir: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Return from process start to the answer of `initialize`, for the floor and for us, in turns."""
    found: dict[str, list[float]] = {"bare SDK server": [], "ours": []}
    for _ in range(rounds):
        with StdioServer("-m", "benchmarks.noop_server") as floor:
            found["bare SDK server"].append(floor.started_ms)
        with StdioServer("-m", "mcp_memory", "stdio", data_dir=data_dir) as ours:
            found["ours"].append(ours.started_ms)
    return {
        name: {"median_ms": sorted(values)[len(values) // 2], "best_ms": min(values), "n": len(values)} for name, values in found.items()
    }


def bare_commits(data_dir: Path, count: int) -> list[float]:
    """Return how long one inserted row takes to commit with FULL, on the same disk, in this process."""
    with closing(sqlite3.connect(data_dir / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, body TEXT)")
        body = "x" * 300
        return timed_ms(lambda: connection.execute("INSERT INTO t (body) VALUES (?)", (body,)) for _ in range(count))


def embeddings(queries: list[str]) -> list[float]:
    """Return how long each query's embedding takes in this process, with the server's settings."""
    service = open_embedding(EmbeddingConfig(), None, Metrics())
    service.start()
    try:
        service.embed_query("warm up", wait_ms=60_000)
        return timed_ms(partial(service.embed_query, query, wait_ms=60_000) for query in queries)
    finally:
        service.close()


def operations(server: StdioServer, calls: int) -> dict[str, Iterator[Callable[[], Any]]]:
    """Return endless work of each kind; what a call needs beforehand is done when it is drawn, outside its time."""
    steps = workloads.steps(calls * 2)
    queries = workloads.queries(calls * 2)

    def start() -> Iterator[Callable[[], Any]]:
        for query in queries:
            yield partial(server.call, "start_episode", task=query, project=PROJECT, recall=False)

    def log() -> Iterator[Callable[[], Any]]:
        episode_id = server.call("start_episode", task="a long one", project=PROJECT, recall=False)["episode_id"]
        for step in steps:
            yield partial(server.call, "log_step", episode_id=episode_id, **step)

    def complete() -> Iterator[Callable[[], Any]]:
        for query in queries:
            episode_id = server.call("start_episode", task=query, project=PROJECT, recall=False)["episode_id"]
            server.call("log_steps", episode_id=episode_id, steps=workloads.steps(workloads.COMPLETE_STEPS))
            yield partial(server.call, "complete_episode", episode_id=episode_id, outcome="success", lessons=["test it"])

    def recall() -> Iterator[Callable[[], Any]]:
        for query in workloads.queries(calls * 2, seed=7):
            yield partial(server.call, "recall", query=query, project=PROJECT)

    return {
        "start_episode (recall off)": start(),
        "log_step": log(),
        "recall (cold query)": recall(),
        "complete_episode (30 steps)": complete(),
    }


def ready(server: StdioServer) -> None:
    """Wait until nothing is degraded: the model is loaded and the views are built."""
    until = time.monotonic() + 120
    while server.call("recall", query="are you ready", project=PROJECT).get("degraded"):
        if time.monotonic() > until:
            raise RuntimeError("the server is still degraded after two minutes")
        time.sleep(0.2)


def quiet(server: StdioServer) -> None:
    """Wait until the texts of completed episodes are embedded: that is background work, and another operation's time must not hold it."""
    before = -1
    while before != (before := server.call("memory_status")["counts"]["vectors"]):
        time.sleep(0.5)


def measured(data_dir: Path, calls: int) -> tuple[dict[str, dict[str, float]], dict[str, float | None]]:
    """Return the percentiles of every operation, of the floor and of the bare commit, and the memory of both servers."""
    durations: dict[str, list[float]] = {}
    with StdioServer("-m", "benchmarks.noop_server") as floor, StdioServer("-m", "mcp_memory", "stdio", data_dir=data_dir) as ours:
        ready(ours)
        work = {"no-op floor": iter(lambda: lambda: floor.call("noop"), None)} | operations(ours, calls)
        for kind in work.values():
            timed_ms(next(kind) for _ in range(min(WARM_UP_CALLS, calls)))
        for _ in range(ROUNDS):
            quiet(ours)
            for name, kind in work.items():
                share = [next(kind) for _ in range(max(1, calls // ROUNDS // (5 if "complete" in name else 1)))]
                durations.setdefault(name, []).extend(timed_ms(share))
            durations.setdefault("bare commit (FULL)", []).extend(bare_commits(data_dir, max(1, calls // ROUNDS)))
        memory = {"bare SDK server": floor.rss_mb(), "ours": ours.rss_mb()}
    durations["query embedding"] = embeddings(workloads.queries(max(10, calls // 2), seed=9))
    return {name: summary(values) for name, values in durations.items()}, memory


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=workloads.EPISODES)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = Path(scratch)
        result: dict[str, Any] = {"circumstances": circumstances(), "import": imported(data_dir, arguments.episodes)}
        result["latency_ms"], result["rss_mb"] = measured(data_dir, arguments.calls)
        result["process start to initialize"] = starts(data_dir, arguments.starts)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return 0
    print(result["circumstances"], result["import"], sep="\n")
    print(table("ms", result["latency_ms"]))
    print(table("process start to initialize", result["process start to initialize"]))
    print("RSS, MB:", result["rss_mb"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
