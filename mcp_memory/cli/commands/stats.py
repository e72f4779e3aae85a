"""`mcp-memory stats`: the memory's own report."""

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json

if TYPE_CHECKING:
    from mcp_memory.domain.status import Status
    from mcp_memory.memory import EpisodicMemory

TRIES = 5
MODEL_WAIT_S = 10.0
MODEL_POLL_S = 0.05
HOLDOUT = "learning.holdout."


def options(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    started = time.perf_counter()

    async def ask(memory: "EpisodicMemory") -> "Status":
        opened_ms = (time.perf_counter() - started) * 1000
        await _model_settled(memory)
        await _try_out(memory)
        status = await memory.memory_status()
        return replace(status, latency_ms={"open": {"p50": round(opened_ms, 3), "count": 1}, **status.latency_ms})

    status = with_memory(args, ask)
    if args.json:
        render.print_json(status)
        return 0
    print(f"mcp-memory {status.version}, opened by {status.processes} process{'es' * (status.processes > 1)}")
    render.print_pairs([("data", status.data_dir), ("durability", status.durability), *_figures(status)])
    print()
    render.print_table(
        ("latency", "times", "p50 ms", "p95 ms"),
        [(name, int(found.get("count", 0)), found.get("p50"), found.get("p95")) for name, found in status.latency_ms.items()],
    )
    render.tell("(measured now, in this process; a server's own are in its memory_status and, over HTTP, at /metrics)")
    for name, kept in status.kept_as.items():
        print(f"project {render.one_line(name)} is kept under its earlier name {render.one_line(kept)}")
    for warning in status.warnings:
        print(f"warning: {render.one_line(warning)}")
    render.note_degraded(status.degraded)
    return 0


def _figures(status: "Status") -> list[tuple[str, Any]]:
    """Return counts and states; of a control group that nobody wants only how to have one."""
    rows = [row for name, value in status.counts.items() for row in _rows(name, value)]
    for section in ("embedding", "replication", "learning"):
        rows += _rows(section, getattr(status, section))
    if not status.learning.holdout.share:
        rows = [row for row in rows if not row[0].startswith(HOLDOUT) or row[0] == HOLDOUT + "verdict"]
    return rows + _rows("cache", status.caches)


async def _model_settled(memory: "EpisodicMemory") -> None:
    """Wait until the embedding model is loaded or is known not to be, as long as a person would: else it is shown as still loading."""
    import anyio

    with anyio.move_on_after(MODEL_WAIT_S):
        while (await memory.memory_status()).embedding.state == "loading":  # noqa: ASYNC110 - nothing tells when it is there
            await anyio.sleep(MODEL_POLL_S)


async def _try_out(memory: "EpisodicMemory") -> None:
    """Look up and read the newest episodes, which leaves no trace, so that there are latencies to tell."""
    newest = (await memory.search_episodes(project="*", limit=TRIES)).episodes
    for row in newest:
        await memory.search_episodes(query=row.task[:200], project="*", limit=5)
        await memory.get_episode(episode_id=row.episode_id)


def _rows(name: str, value: Any) -> list[tuple[str, Any]]:
    """Return a row for a value, or for each value of a mapping or record, however deep; none for what is empty."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return [row for key, item in value.items() for row in _rows(f"{name}.{key}", item)]
    return [] if value in ("", None, ()) else [(name, value)]
