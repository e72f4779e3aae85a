"""What sharing costs: the local commit with its outbox row, a log that never answers, a backlog caught up with, an empty machine filled.

    python -m benchmarks.bench_sharing [--url URL] [--steps 10000] [--episodes 10000] [--runs 600] [--json]

Without --url only what needs no server. Commits and calls are made in turn with and without a log, so compare within one run. The log of
--url should be empty; what is written stays there.
"""

import argparse
import asyncio
import json
import socket
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.bench_storage import Workload
from benchmarks.harness import circumstances, summary, table
from benchmarks.workloads import lines
from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config, StorageConfig
from mcp_memory.config_sources import load_config
from mcp_memory.metrics import Metrics
from mcp_memory.storage.sqlite_store import SqliteStore

WARM_UP = 20
STEPS_PER_CALL = 100


def settings(folder: Path, url: str = "") -> Config:
    env = {"MCP_MEMORY_REMOTE_URL": url} if url else {}
    return load_config(env=env, flags={"storage.data_dir": str(folder), "embedding.provider": "off", "server.project": "bench"})


async def commits(folder: Path, runs: int) -> dict[str, dict[str, float]]:
    """Measure the append of a step with and without an outbox row, in turn."""
    work, taken_ms = Workload(), {"append_steps, alone": list[float](), "append_steps, shared": list[float]()}
    async with AsyncExitStack() as opened:
        stores = {}
        for name in taken_ms:
            store = await SqliteStore.open(folder / name, StorageConfig(), Metrics(), lambda: time.time_ns() // 1_000_000)
            opened.push_async_callback(store.aclose)
            await store.start_episode(work.opened(1))
            stores[name] = store
        await stores["append_steps, shared"].share_with(["http://log.invalid"])
        for n in range(WARM_UP + runs):
            step = work.step()
            for name in sorted(stores, reverse=bool(n % 2)):
                started = time.perf_counter()
                await stores[name].append_steps(work.opened(1).id, [step])
                if n >= WARM_UP:
                    taken_ms[name].append((time.perf_counter() - started) * 1000)
    return {name: summary(durations_ms) for name, durations_ms in taken_ms.items()}


async def outage(folder: Path, runs: int) -> dict[str, dict[str, float]]:
    """Measure `log_step` with a log that takes connections and never answers, and without one, in turn."""
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(50)
        configs = {
            "log_step, no log": settings(folder / "none"),
            "log_step, log never answers": settings(folder / "hole", f"http://127.0.0.1:{hole.getsockname()[1]}"),
        }
        taken_ms: dict[str, list[float]] = {name: [] for name in configs}
        async with AsyncExitStack() as opened:
            memories = {name: await opened.enter_async_context(open_memory(config)) for name, config in configs.items()}
            ids = {name: (await memory.start_episode(task="fix it", recall=False)).episode_id for name, memory in memories.items()}
            for n in range(WARM_UP + runs):
                for name in sorted(memories, reverse=bool(n % 2)):
                    started = time.perf_counter()
                    await memories[name].log_step(episode_id=ids[name], tool="bash", arguments={"command": f"pytest {n}"}, observation="ok")
                    if n >= WARM_UP:
                        taken_ms[name].append((time.perf_counter() - started) * 1000)
    return {name: summary(durations_ms) for name, durations_ms in taken_ms.items()}


async def caught_up(folder: Path, url: str, steps: int, episodes: int) -> dict[str, float]:
    """Return the seconds to send a backlog of steps, to read it elsewhere, to send episodes, and to fill an empty machine."""
    took_s: dict[str, float] = {}
    async with open_memory(settings(folder / "writer")) as memory:
        for first in range(0, steps, 10 * STEPS_PER_CALL):
            opened = await memory.start_episode(task=f"backlog {first}", recall=False)
            for n in range(first, min(steps, first + 10 * STEPS_PER_CALL), STEPS_PER_CALL):
                await memory.log_steps(episode_id=opened.episode_id, steps=[made(n + i) for i in range(STEPS_PER_CALL)])
    took_s[f"send {steps} steps"] = await synced(folder / "writer", url)
    took_s[f"read {steps} steps"] = await synced(folder / "reader", url)
    async with open_memory(settings(folder / "importer")) as memory:
        await memory.import_lines(lines(episodes))
    took_s[f"send {episodes} episodes"] = await synced(folder / "importer", url)
    took_s[f"an empty machine reads {episodes} episodes and {steps} steps"] = await synced(folder / "empty", url)
    return took_s


def made(number: int) -> dict[str, Any]:
    return {"tool": "bash", "arguments": {"command": f"make {number}"}, "observation": "done " * 60}


async def synced(folder: Path, url: str) -> float:
    """Return how long it takes to bring a memory into step."""
    async with open_memory(settings(folder, url)) as memory:
        started = time.perf_counter()
        found = await memory.sync()
        took_s = time.perf_counter() - started
        assert found.state == "in step", found
        return round(took_s, 2)


async def run(folder: Path, runs: int, url: str, steps: int, episodes: int) -> dict[str, Any]:
    """Return every figure."""
    rows = await commits(folder, runs) | await outage(folder, runs)
    found: dict[str, Any] = {"about": circumstances(), "ms": rows}
    if url:
        found["s"] = await caught_up(folder, url, steps, episodes)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="", help="a shared log that is empty")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=600)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(Path(folder), arguments.runs, arguments.url, arguments.steps, arguments.episodes))
    if arguments.json:
        print(json.dumps(found))
    else:
        print(found["about"])
        print(table("ms", found["ms"]))
        for name, seconds in found.get("s", {}).items():
            print(f"{name}: {seconds} s")


if __name__ == "__main__":
    main()
