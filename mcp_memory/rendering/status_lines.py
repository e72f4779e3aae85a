"""The memory's own state as plain lines: what it holds, whether it is well, and what to do where it is not. Pure, of wire data."""

from collections.abc import Iterator, Mapping
from typing import Any

from mcp_memory.rendering.on_one_line import flat

TIMED = ("start_episode", "log_step", "log_steps", "recall", "suggest_next_step", "complete_episode")  # of an agent's own calls
Row = Mapping[str, Any]


def status_text(answer: Row) -> str:
    """Return an answer of memory_status as lines; latencies and caches in full are in the structured answer alone."""
    return "\n".join(_lines(answer))


def _lines(answer: Row) -> Iterator[str]:
    counts, embedding, shared = answer["counts"], answer["embedding"], answer["replication"]
    yield f"mcp-memory {answer['version']}, project {flat(answer['project'])}, in {flat(answer['data_dir'])}"
    held = ("episodes", "open", "steps", "patterns", "vectors")
    yield f"Holds {', '.join(f'{counts[name]} {name}' for name in held if name in counts)}. {flat(answer['durability'])}"
    yield f"Embeddings: {embedding['in_use']} {embedding['model_id']}, {embedding['state']}"
    waits = f", {shared['pending']} to send" if shared.get("pending") else ""
    said = f": {flat(shared['last_error'])}" if shared.get("last_error") else ""
    yield f"Shared log: {shared['state']}{waits}{said}"
    timed = [(name, row) for name in TIMED if (row := answer["latency_ms"].get(name))]
    if timed:
        yield "p50/p95 in ms: " + ", ".join(f"{name} {row['p50']:.0f}/{row['p95']:.0f}" for name, row in timed)
    for now, before in (answer.get("kept_as") or {}).items():
        yield f"Memories of project {flat(now)} are kept under its earlier name {flat(before)}"
    yield from (f"Degraded: {flat(text)}" for text in answer.get("degraded") or ())
    warnings = answer.get("warnings") or ()
    yield from (f"Warning: {flat(text)}" for text in warnings) if warnings else ("No warnings",)
