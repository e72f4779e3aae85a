"""The local embedding model: loading, queries, documents, the cache, and how near it is to the float32 original.

    python -m benchmarks.bench_embed [--runs 200] [--json]

Loading is measured in a fresh process. The bound for a query is arithmetic: 10.6 million weights a token, so 12 tokens are 0.13 G
multiply-adds; a 2 GHz core with 128-bit units and no dot-product instruction does about 15 G of them a second, one with AVX-512 VNNI
several times that. Wall times on shared machines drift; trust ratios within one run.
"""

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mcp_memory.embedding.cached_embedder import CachedEmbedder
from mcp_memory.embedding.model_files import find_model
from mcp_memory.embedding.onnx_embedder import OnnxEmbedder
from mcp_memory.embedding.quantize import quantize_rows
from mcp_memory.metrics import percentiles

REFERENCE = Path(__file__).parents[1] / "tests" / "unit" / "embedding" / "data"
TOKENS = (12, 60, 250)  # a task; a task with its steps; the longest text that counts
LOADS = 5

# A thread of the same process that wants to run every half millisecond stands for the server's event loop.
_LOAD_SCRIPT = """
import json, os, sys, time
from mcp_memory.config import EmbeddingConfig
from mcp_memory.embedding.service import open_embedding
from mcp_memory.metrics import Metrics

def rss_mb():
    try:
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0  # not Linux

before_mb, started = rss_mb(), time.perf_counter()
service = open_embedding(EmbeddingConfig(), None, Metrics())
service.start()
stall, last = 0.0, time.perf_counter()
while service.state == "loading":
    time.sleep(0.0005)
    now = time.perf_counter()
    stall, last = max(stall, now - last), now
ready = time.perf_counter()
assert service.state == "ready", service.status()
service.embed_query("fix the parser", wait_ms=0)
answered = time.perf_counter()
service.close()
print(json.dumps({
    "import_to_ready_ms": (ready - started) * 1000,
    "longest_stall_ms": stall * 1000,
    "first_query_ms": (answered - ready) * 1000,
    "rss_growth_mb": rss_mb() - before_mb,
    "rss_mb": rss_mb(),
}))
"""


def median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def loading(rounds: int) -> dict[str, float]:
    """Return the medians over fresh processes."""
    found = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", _LOAD_SCRIPT], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
        )
        found.append(json.loads(done.stdout))
    return {name: round(median([one[name] for one in found]), 1) for name in found[0]}


def timed_ms(work: Callable[[str], Any], texts: Sequence[str]) -> dict[str, float]:
    """Return percentiles over one call per text."""
    durations_ms = []
    for text in texts:
        started = time.perf_counter()
        work(text)
        durations_ms.append((time.perf_counter() - started) * 1000)
    return percentiles(sorted(durations_ms))


def texts_of(tokens: int, count: int, seed: int) -> list[str]:
    """Return different texts of nearly *tokens* tokens (common words are one token each; two are the frame)."""
    vocabulary = " ".join(json.loads((REFERENCE / "texts.json").read_text(encoding="utf-8"))["documents"]).lower().split()
    common = sorted({word for word in vocabulary if word.isalpha()})
    source = random.Random(seed)
    return [" ".join(source.choices(common, k=tokens - 2)) for _ in range(count)]


def queries(embedder: OnnxEmbedder, runs: int) -> dict[str, Any]:
    """Measure queries by length, alone and beside a bulk of documents, and from the cache."""
    found: dict[str, Any] = {}
    for tokens in TOKENS:
        texts = texts_of(tokens, max(5, runs * 12 // tokens), seed=tokens)
        found[f"{tokens} tokens"] = timed_ms(lambda text: embedder.embed([text], role="query"), texts)
    stop = threading.Event()

    def bulk() -> None:
        for text in texts_of(250, 10_000, seed=1):
            if stop.is_set():
                return
            embedder.embed([text], role="document")

    worker = threading.Thread(target=bulk)
    worker.start()
    found["12 tokens, documents being embedded"] = timed_ms(lambda text: embedder.embed([text], role="query"), texts_of(12, runs, seed=2))
    stop.set()
    worker.join()
    cached, again = CachedEmbedder(embedder, None), texts_of(12, runs, seed=3)
    cached.embed(again)
    found["12 tokens, embedded before"] = timed_ms(lambda text: cached.embed([text], role="query"), again)
    return found


def documents(embedder: OnnxEmbedder, count: int) -> dict[str, float]:
    """Return texts a second, one caller, and rows quantised a second."""
    texts = texts_of(60, count, seed=4)
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    embedded = time.perf_counter()
    quantize_rows(vectors)
    done = time.perf_counter()
    return {"60-token texts/s": round(count / (embedded - started), 1), "rows quantised/s": round(count / (done - embedded))}


def fidelity(embedder: OnnxEmbedder) -> dict[str, float]:
    """Compare with the float32 reference: cosines, and agreement of the best and the five best documents per query."""
    texts, reference = json.loads((REFERENCE / "texts.json").read_text(encoding="utf-8")), np.load(REFERENCE / "reference.npy")
    vectors, split = embedder.embed(texts["documents"] + texts["queries"]), len(texts["documents"])
    cosines = (vectors * reference).sum(axis=1)
    ours, theirs = ((-v[split:] @ v[:split].T).argsort(axis=1)[:, :5] for v in (vectors, reference))
    return {
        "cosine mean": round(float(cosines.mean()), 4),
        "cosine least": round(float(cosines.min()), 4),
        "same best": float((ours[:, 0] == theirs[:, 0]).mean()),
        "overlap of 5 best": round(float(np.mean([len(set(a) & set(b)) / 5 for a, b in zip(ours, theirs, strict=True)])), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="queries per measurement (default 200)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    embedder = OnnxEmbedder(find_model())
    report = {
        "loading, fresh process": loading(min(LOADS, args.runs)),
        "query ms": queries(embedder, args.runs),
        "documents": documents(embedder, args.runs),
        "against float32": fidelity(embedder),
    }
    if args.json:
        print(json.dumps(report, indent=2))
        return
    for title, rows in report.items():
        print(title)
        for name, value in rows.items():
            print(f"  {name:36} {value if not isinstance(value, dict) else '  '.join(f'{k} {v}' for k, v in value.items())}")


if __name__ == "__main__":
    main()
