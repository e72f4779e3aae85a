"""python -m benchmarks.bench_patterns [--episodes 1000] [--calls 300] [--json]

What patterns cost a recall: the same generated episodes in two memories, one that learned from them and one that did not
(`learning.enabled`), asked the same new queries in turn through the facade of this process, with patterns included.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import workloads
from benchmarks.harness import circumstances, summary, table
from benchmarks.quality.in_process import InProcess, opened_here

WARM_UP = 20
PROJECT = "bench"  # of the generated episodes


async def cold_recall_ms(session: InProcess, query: str) -> float:
    """Return how long a query takes that was not asked before; its embedding is in it."""
    started = time.perf_counter()
    answer = await session.memory.recall(query=query, project=PROJECT, strict=True)
    took_ms = (time.perf_counter() - started) * 1000
    assert answer.episodes
    return took_ms


async def run(work: Path, episodes: int, calls: int) -> dict[str, Any]:
    """Return the percentiles of both memories, of the difference, and how much evidence there is."""
    lines = [json.loads(line) for line in workloads.lines(episodes)]
    queries = workloads.queries(calls + WARM_UP, seed=11)
    durations: dict[str, list[float]] = {"without patterns": [], "with patterns": []}
    async with (
        opened_here(work / "without", lines, {"learning.enabled": "false"}) as without,
        opened_here(work / "with", lines) as with_,
    ):
        for number, query in enumerate(queries):
            both = (without, with_) if number % 2 else (with_, without)
            took = {session: await cold_recall_ms(session, query) for session in both}
            if number >= WARM_UP:
                durations["without patterns"].append(took[without])
                durations["with patterns"].append(took[with_])
        counts = (await with_.call("memory_status"))["counts"]
        assert (await without.call("memory_status"))["counts"]["patterns"] == 0
    durations["difference, call by call"] = [b - a for a, b in zip(*durations.values(), strict=True)]
    return {"ms": {name: summary(values) for name, values in durations.items()}, "counts": counts}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_patterns", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("--episodes", type=int, default=1_000)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = asyncio.run(run(Path(scratch), args.episodes, args.calls)) | {"circumstances": circumstances()}
    if args.json:
        print(json.dumps(result, indent=1))
        return 0
    print(table("cold recall, ms", result["ms"]))
    print({name: result["counts"][name] for name in ("episodes", "patterns", "evidence")}, result["circumstances"], sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
