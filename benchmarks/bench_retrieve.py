"""Recall without the server and without the embedding: its parts and the whole, in one process, against size.

    python -m benchmarks.bench_retrieve [--episodes 10000] [--queries 200] [--json]

"plain product" is the float32 matrix times the query, the floor of an exact search; recall@10 is the sign-bit index's agreement with it.
The episodes' words are few and common, which is the hard case for full-text search. Vectors are of the task's words (no model), so that
only time is measured here; quality is measured by `benchmarks.quality`.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workloads
from benchmarks.harness import circumstances, summary, table, timed_ms
from mcp_memory.config import RetrievalConfig, StorageConfig
from mcp_memory.domain.episode import Context, Episode, EpisodeState, Outcome, OutcomeKind, Reward, Step
from mcp_memory.domain.query import Filter, Query, TextQuery
from mcp_memory.embedding.hash_embedder import HashEmbedder
from mcp_memory.embedding.quantize import LIMIT, quantize_rows
from mcp_memory.metrics import Metrics
from mcp_memory.ports import Completion, VectorRow
from mcp_memory.retrieval import text_query
from mcp_memory.retrieval.retriever import Retriever
from mcp_memory.storage.sqlite_store import SqliteStore
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import View, Views

DIMENSION = 384
BATCH = 500
VECTOR_SIZES = (1_000, 10_000, 100_000)
VECTOR_QUERIES = 50
CLUSTERS, NOISE = 500, 1.0  # vectors in clusters, as texts of one kind are


def episode(line: dict[str, Any]) -> Episode:
    """Return a generated line as a completed episode."""
    steps = tuple(
        Step(s["tool"], arguments=s["arguments"], observation=s["observation"], error=s.get("error"), at_ms=s["at_ms"], index=i)
        for i, s in enumerate(line["steps"])
    )
    return Episode(
        line["external_id"], line["project"], line["task"], context=Context(line["context"]["domain"], line["context"]["language"]),
        started_at_ms=line["started_at_ms"], ended_at_ms=line["ended_at_ms"], state=EpisodeState.COMPLETED, steps=steps,
        step_count=len(steps), outcome=Outcome(OutcomeKind(line["outcome"]["kind"]), line["outcome"]["summary"]), reward=Reward(0.5),
    )  # fmt: skip


async def filled(data_dir: Path, count: int, embedder: HashEmbedder) -> tuple[SqliteStore, Retriever, Views]:
    """Return a store of *count* generated episodes, a retriever, and the views of them."""
    store = await SqliteStore.open(data_dir, StorageConfig(synchronous="NORMAL"), Metrics(), lambda: 0)
    retriever = Retriever(store, RetrievalConfig(query_cache_entries=0), Metrics(), time.time_ns)
    batch: list[Episode] = []
    for number, line in enumerate(workloads.lines(count), 1):
        batch.append(episode(json.loads(line)))
        if len(batch) == BATCH or number == count:
            await store.import_episodes([Completion(e, retriever.index_text(e)) for e in batch])
            scales, codes = quantize_rows(embedder.embed([e.task for e in batch]))
            await store.put_vectors(embedder.space, [VectorRow(0, e.id, 0, s, c) for e, s, c in zip(batch, scales, codes, strict=True)])
            batch = []
    views = Views(store, SignBitIndex, lambda: (embedder.space,))
    views.load()
    return store, retriever, views


def parts(store: SqliteStore, retriever: Retriever, v: View, embedder: HashEmbedder, queries: list[str]) -> dict[str, list[float]]:
    """Return how long each part takes for every query."""
    everything = Filter(project="bench")
    vectors = {q: {embedder.space: embedder.embed(list(retriever.query_texts(q)))} for q in queries}
    episodes = len(v.catalog)

    def match(text: str) -> TextQuery:
        return text_query.affordable(text_query.read_query(text), store.term_counts, episodes, at_least_one=False)

    matches = {q: match(q) for q in queries}
    work: dict[str, Callable[[str], Any]] = {
        "text to words, with counts": match,
        "full-text search, 400 hits": lambda q: store.search_text(matches[q], project="bench", limit=400),
        "similar (200 neighbours)": lambda q: retriever.similar(v, Query(q, everything), vectors[q], 200),
        "rank, lexical only": lambda q: retriever.rank(v, Query(q, everything), {}),
        "rank, hybrid": lambda q: retriever.rank(v, Query(q, everything), vectors[q]),
    }
    return {name: timed_ms([partial(call, q) for q in queries]) for name, call in work.items()}


def vector_search(size: int) -> dict[str, Any]:
    """Return the index's and the plain product's times for one size, and their agreement."""
    draw = np.random.default_rng(workloads.SEED)
    centres = draw.normal(size=(CLUSTERS, DIMENSION)).astype(np.float32)
    rows = centres[draw.integers(0, CLUSTERS, size)] + NOISE * draw.normal(size=(size, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    queries = rows[draw.integers(0, size, VECTOR_QUERIES)] + 0.5 * draw.normal(size=(VECTOR_QUERIES, DIMENSION)).astype(np.float32) / 20
    index = SignBitIndex(DIMENSION)
    scales = np.abs(rows).max(axis=1) / LIMIT
    codes = np.rint(rows / scales[:, None]).astype(np.int8)
    started = time.perf_counter()
    for first in range(0, size, BATCH):
        index.add(range(first, min(first + BATCH, size)), codes[first : first + BATCH], scales[first : first + BATCH])
    build_s = time.perf_counter() - started
    found: list[set[int]] = []
    true: list[set[int]] = []

    def search(query: np.ndarray) -> None:
        found.append(set(index.search(query, 10)[0].tolist()))

    def search_plainly(query: np.ndarray) -> None:
        true.append(set(np.argpartition(-(rows @ query), 10)[:10].tolist()))

    ours = timed_ms(partial(search, query) for query in queries)
    plain = timed_ms(partial(search_plainly, query) for query in queries)
    agreement = sum(len(a & b) for a, b in zip(found, true, strict=True)) / (10 * VECTOR_QUERIES)
    return {
        "p50": summary(ours)["p50"],
        "p95": summary(ours)["p95"],
        "plain p50": summary(plain)["p50"],
        "recall@10": agreement,
        "add us/row": build_s / size * 1e6,
    }


async def run(count: int, query_count: int) -> dict[str, Any]:
    embedder = HashEmbedder(DIMENSION)
    with tempfile.TemporaryDirectory() as scratch:
        store, retriever, views = await filled(Path(scratch), count, embedder)
        queries = workloads.queries(query_count, seed=random.Random(workloads.SEED).randrange(10**6))
        with views.read() as v:
            measured = {name: summary(durations) for name, durations in parts(store, retriever, v, embedder, queries).items()}
        await store.aclose()
    return {"episodes": count, "parts_ms": measured, "vectors_ms": {f"{size:,} vectors": vector_search(size) for size in VECTOR_SIZES}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_retrieve")
    parser.add_argument("--episodes", type=int, default=workloads.EPISODES)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = asyncio.run(run(args.episodes, args.queries)) | {"circumstances": circumstances()}
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print(table(f"{args.episodes:,} episodes, ms", result["parts_ms"]), "\n")
        print(table("vector search, ms", result["vectors_ms"]))
        print(result["circumstances"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
