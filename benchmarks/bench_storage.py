"""The stores alone, in one process: committed writes next to the bare commit of the same run, reads, text search against size.

    python -m benchmarks.bench_storage [--episodes 10000] [--runs 300] [--dir DIR] [--json]

"bare commit" is an insert of 600 bytes and its commit with `synchronous=FULL`, without our code: subtract it to see what we add. Search
is for the eight rarest of forty words drawn like a text's, any of which may match. Every size is a named constant; episodes are seeded.
Wall times on shared machines drift; trust ratios within one run.
"""

import argparse
import asyncio
import itertools
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness import circumstances, summary, table, timed_ms
from mcp_memory.config import StorageConfig
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reflection, Reward, Step
from mcp_memory.domain.pattern import Observation, PatternKind
from mcp_memory.domain.query import Filter, Sort, TextQuery
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Completion, IndexText
from mcp_memory.storage.lmdb_cache import LmdbCache
from mcp_memory.storage.sqlite_store import SqliteStore

SEED = 3
VOCABULARY = 20_000  # words, drawn by rank as in language: word n with a weight of 1/n
TASK_WORDS = 15
STEPS = 30
STEP_WORDS = 20  # of an observation
PATTERNS_PER_EPISODE = 40
KNOWN_PATTERNS = 2_000
IMPORT_BATCH = 100
CROWD = 64
QUERY_WORDS = 8
DRAWN_WORDS = 40
BARE_ROW_BYTES = 600


class Workload:
    """Seeded episodes."""

    def __init__(self) -> None:
        self._random = random.Random(SEED)
        self._words = [f"w{i}x" for i in range(VOCABULARY)]
        self._cumulated = list(itertools.accumulate(1 / (i + 1) for i in range(VOCABULARY)))

    def text(self, words: int) -> str:
        return " ".join(self._random.choices(self._words, cum_weights=self._cumulated, k=words))

    def step(self, index: int = -1) -> Step:
        return Step("bash", "run", {"command": self.text(4)}, self.text(STEP_WORDS), duration_ms=12, at_ms=1, index=index)

    def opened(self, number: int) -> Episode:
        return Episode(f"{number:032d}", "bench", self.text(TASK_WORDS), context=Context("web", "python"), started_at_ms=number)

    def completion(self, opened: Episode, steps: tuple[Step, ...]) -> Completion:
        done = replace(
            opened,
            state=EpisodeState.COMPLETED,
            steps=steps,
            step_count=len(steps),
            ended_at_ms=opened.started_at_ms + 1,
            outcome=Outcome(OutcomeKind.SUCCESS, self.text(10), lessons=(self.text(10),)),
            reward=Reward(self._random.random(), {"outcome": 1.0}),
            reflection=Reflection((self.text(8),)),
        )
        names = self._random.sample(range(KNOWN_PATTERNS), PATTERNS_PER_EPISODE)
        seen = tuple(Observation(PatternKind.TOOL_SEQUENCE, {"n": n}, f"pattern {n}", True, detail={"step": 1}) for n in names)
        indexed = " ".join(f"{s.tool} {s.arguments['command']} {s.observation}" for s in steps)
        return Completion(done, IndexText(done.task, indexed, done.outcome.summary if done.outcome else ""), seen)

    def words(self) -> list[str]:
        return list(dict.fromkeys(self.text(DRAWN_WORDS).split()))


def bare_commits(folder: Path, runs: int) -> list[float]:
    """Return what SQLite and the disk take for one row with FULL."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (body BLOB)")
    row = (b"x" * BARE_ROW_BYTES,)
    durations_ms = timed_ms([lambda: connection.execute("INSERT INTO t VALUES (?)", row)] * runs)
    connection.close()
    return durations_ms


async def timed_writes(calls: list[Callable[[], Awaitable[Any]]]) -> list[float]:
    """Await each call in turn and return how long each took."""
    durations_ms = []
    for call in calls:
        started = time.perf_counter()
        await call()
        durations_ms.append((time.perf_counter() - started) * 1000)
    return durations_ms


async def writes(store: SqliteStore, work: Workload, folder: Path, runs: int) -> dict[str, dict[str, float]]:
    """Measure the writes of a lone caller and of a crowd."""
    opened = [work.opened(10**9 + i) for i in range(runs)]
    rows = {"bare commit": summary(await asyncio.to_thread(bare_commits, folder, runs))}
    rows["start_episode"] = summary(await timed_writes([lambda e=e: store.start_episode(e) for e in opened]))  # type: ignore[misc]
    steps = [work.step() for _ in range(runs)]
    lone = opened[0].id
    rows["append_steps, 1"] = summary(await timed_writes([lambda s=s: store.append_steps(lone, [s]) for s in steps]))  # type: ignore[misc]
    crowd = []

    async def caller() -> None:
        crowd.extend(await timed_writes([lambda: store.append_steps(lone, [steps[0]])] * (runs // 10)))

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CROWD)))
    rows[f"append_steps, {CROWD} callers"] = summary(crowd) | {"per_s": round(len(crowd) / (time.perf_counter() - started))}
    completions = []
    for episode in opened[1 : runs // 3]:
        logged = tuple(work.step(i) for i in range(STEPS))
        await store.append_steps(episode.id, logged)
        completions.append(work.completion(episode, logged))
    rows[f"complete_episode, {STEPS} steps"] = summary(await timed_writes([lambda c=c: store.complete_episode(c) for c in completions]))  # type: ignore[misc]
    return rows


def reads(store: SqliteStore, dual: SqliteStore, cache: LmdbCache, work: Workload, episodes: int, runs: int) -> dict[str, dict[str, float]]:
    """Measure the reads that a recall and a status make."""
    ids = [f"{random.Random(i).randrange(episodes):032d}" for i in range(runs)]
    dual.get_episodes(ids)
    cache.flush()
    terms = [work.words() for _ in range(runs)]
    rarest = [[word for _, word in sorted(zip(store.term_counts(some), some, strict=True))[:QUERY_WORDS]] for some in terms]
    matches = [TextQuery(tuple(some)) for some in rarest]
    few = max(3, runs // 100)
    return {
        "change_seq": summary(timed_ms([store.change_seq] * runs)),
        "get_episodes, 1 whole, durable": summary(timed_ms([lambda i=i: store.get_episodes([i]) for i in ids])),  # type: ignore[misc]
        "get_episodes, 1 whole, hot tier": summary(timed_ms([lambda i=i: dual.get_episodes([i]) for i in ids])),  # type: ignore[misc]
        "get_episodes, 1 without steps": summary(timed_ms([lambda i=i: store.get_episodes([i], steps=False) for i in ids])),  # type: ignore[misc]
        f"search_text, {QUERY_WORDS} words": summary(
            timed_ms([lambda m=m: store.search_text(m, project="bench", limit=100) for m in matches])  # type: ignore[misc]
        ),
        f"term_counts, {DRAWN_WORDS} words": summary(timed_ms([lambda t=t: store.term_counts(t) for t in terms])),  # type: ignore[misc]
        "list_episodes, newest 20": summary(
            timed_ms([lambda: store.list_episodes(Filter(project="bench"), sort=Sort.NEWEST, limit=20, cursor=None)] * few)
        ),
        "patterns, best 100": summary(timed_ms([lambda: store.patterns(project="bench", limit=100)] * few)),
        "counts": summary(timed_ms([store.counts] * few)),
        "missing_vectors, 100": summary(timed_ms([lambda: store.missing_vectors("s", 100)] * few)),
        "traces, all": summary(timed_ms([lambda: store.traces(limit=10**9)] * 3)),
    }


async def run(folder: Path, episodes: int, runs: int) -> dict[str, Any]:
    """Return every figure."""
    work, metrics, config = Workload(), Metrics(), StorageConfig()
    clock = lambda: time.time_ns() // 1_000_000  # noqa: E731
    cache = LmdbCache(folder / "cache", config.cache_max_bytes)
    store = await SqliteStore.open(folder, config, metrics, clock)
    dual = await SqliteStore.open(folder, config, metrics, clock, cache)
    try:
        started = time.perf_counter()
        for first in range(0, episodes, IMPORT_BATCH):
            batch = [work.opened(n) for n in range(first, min(episodes, first + IMPORT_BATCH))]
            await store.import_episodes([work.completion(e, tuple(work.step(i) for i in range(STEPS))) for e in batch])
        imported_s = time.perf_counter() - started
        rows = await writes(store, work, folder, runs)
        rows |= reads(store, dual, cache, work, episodes, runs)
        info = store.info()
        about = {"episodes": episodes, "import_s": round(imported_s, 1), "size_mb": round(info.size_bytes / 1e6, 1)}
        return {"about": about | {"compression_ratio": info.compression_ratio} | circumstances(), "ms": rows}
    finally:
        await dual.aclose()
        await store.aclose()
        cache.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--dir", type=Path, help="on which disk to measure; default: a temporary folder")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as folder:
        found = asyncio.run(run(Path(folder), arguments.episodes, arguments.runs))
    if arguments.json:
        print(json.dumps(found))
    else:
        print(found["about"])
        print(table("ms", found["ms"]))


if __name__ == "__main__":
    main()
