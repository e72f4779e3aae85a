"""What each measure for speed brings: the same calls with it and without it, in turn, in this process."""

import asyncio
import random
import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import workloads
from benchmarks.ablation_terms import NEVER, Part
from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from mcp_memory.retrieval import text_query
from mcp_memory.verbs.background import Background
from mcp_memory.verbs.engines import Engines
from mcp_memory.views import vector_index

EPISODES, ROUNDS, CALLS, STEPS, AT_ONCE = 2_000, 3, 40, 8, 12
SWITCHES = (
    Part("hot tier (`storage.cache_enabled`)", ("reopened", "recall again"), settings={"storage.cache_enabled": False}),
    Part("answers kept (`retrieval.query_cache_entries`)", ("recall again",), settings={"retrieval.query_cache_entries": 0}),
    Part("writes in one transaction (`storage.max_batch_size`)", ("steps at once",), settings={"storage.max_batch_size": 1}),
    Part(
        "blobs compressed (`storage.compress_over_bytes`)", ("recall", "completion"), settings={"storage.compress_over_bytes": int(NEVER)}
    ),
    Part("words beside the embedding", ("recall",), ((Engines, "embed_beside_search", lambda e, query: e.embed_query(query.text)),)),
    Part("task embedded while the agent works", ("completion",), ((Background, "embed_ahead", lambda self, episode_id: None),)),
    Part("scan of sign bits", ("recall",), ((vector_index, "FULL_SCAN_ROWS", int(NEVER)),)),
    Part("bounded search of words", ("recall",), tuple((text_query, n, int(NEVER)) for n in ("MAX_WORK", "RARE_WORK", "UNCOUNTED_WORK"))),
)
Cost = dict[str, list[float]]  # call -> milliseconds


@dataclass(slots=True)
class Clock:
    """Collects what calls cost: wall time, and processor time of all threads of this process."""

    wall: Cost = field(default_factory=lambda: defaultdict(list))
    processor: Cost = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def times(self, call: str) -> Iterator[None]:
        """Time the block as one call."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.wall[call].append((time.perf_counter() - wall) * 1000)
        self.processor[call].append((time.process_time() - processor) * 1000)


async def speed(work: Path, episodes: int = EPISODES, rounds: int = ROUNDS, calls: int = CALLS) -> dict[str, dict[str, Any]]:
    """Return for every switch and call: the median with it on and off, in ms of wall and processor time. *work* is an empty folder."""
    filled = work / "filled"
    async with open_memory(_config(filled, {})) as memory:
        await memory.import_lines(list(workloads.lines(episodes)))
        await memory.settle()
    rows: dict[str, dict[str, Any]] = {}
    for part in SWITCHES:
        on, off = Clock(), Clock()
        for number in range(rounds):
            await _round(filled, work / "copy", {}, on, number, calls)
            with part.off() as settings:
                await _round(filled, work / "copy", settings, off, number, calls)
        for call in part.kinds:
            pairs = [(clock.wall[call], clock.processor[call]) for clock in (on, off)]
            (wall_on, cpu_on), (wall_off, cpu_off) = ((statistics.median(w), statistics.median(c)) for w, c in pairs)
            rows[f"{part.name}: {call}"] = {"wall on": wall_on, "wall off": wall_off, "processor on": cpu_on, "processor off": cpu_off}
    return rows


def _config(data_dir: Path, settings: dict[str, Any]) -> Any:
    return load_config(env={}, flags={"storage.data_dir": str(data_dir), "server.project": "bench", **settings})


async def _round(filled: Path, copy: Path, settings: dict[str, Any], clock: Clock, number: int, calls: int) -> None:
    """Open a copy of the memory and make the calls; the same ones with a part on and off."""
    shutil.copytree(filled, copy)
    source, queries = random.Random(number), workloads.queries(calls, number)
    try:
        with clock.times("reopened"):  # until a recall of a known task has everything it needs
            async with open_memory(_config(copy, settings)) as memory:
                await memory.recall(queries[0])
        async with open_memory(_config(copy, settings)) as memory:
            await memory.settle()
            for query in queries:
                with clock.times("recall"):
                    await memory.recall(query)
            for query in queries:
                with clock.times("recall again"):
                    await memory.recall(query)
            for _ in range(calls // 4):
                await _worked(memory, source, clock)
            await _at_once(memory, source, clock)
    finally:
        shutil.rmtree(copy)


async def _worked(memory: EpisodicMemory, source: random.Random, clock: Clock) -> None:
    """Live through an episode; an agent takes a moment between its steps."""
    episode = await memory.start_episode(workloads.task(source), recall=False)
    for index in range(STEPS):
        await memory.log_step(episode.episode_id, **workloads.step(source, index))
        await asyncio.sleep(0.01)
    with clock.times("completion"):
        await memory.complete_episode(episode.episode_id, "success")


async def _at_once(memory: EpisodicMemory, source: random.Random, clock: Clock) -> None:
    """Have twelve agents log their steps at the same time."""
    started = [await memory.start_episode(workloads.task(source), recall=False) for _ in range(AT_ONCE)]
    steps = [(e.episode_id, workloads.step(source, i)) for i in range(STEPS) for e in started]
    with clock.times("steps at once"):
        await asyncio.gather(*(memory.log_step(episode_id, **made) for episode_id, made in steps))


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| measure: call | wall, ms: with / without | processor, ms: with / without |", "|---|---|---|"]
    for name, row in rows.items():
        pairs = [(row[f"{kind} on"], row[f"{kind} off"]) for kind in ("wall", "processor")]
        lines.append(f"| {name} | " + " | ".join(f"{on:.1f} / {off:.1f} ({off / on:.2f} times)" for on, off in pairs) + " |")
    return "\n".join(lines)
