"""python -m benchmarks.bench_warnings SPLIT_DIR [--work DIR] [--json]

Are warnings before an act worth reading? The split's probes (episodes that are not in its memory) are lived through step by step: before
each step `suggest_next_step` is asked with that step as `intended`, then the step is logged with what really came of it. Of the steps
warned about, how many failed (precision), against how many steps fail at all (base rate), and how many of the failing ones were warned
about (coverage). Wilson's 95 % interval. Through the facade of this process, with default settings.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import circumstances, summary, table
from benchmarks.quality import split
from benchmarks.quality.answers import context_of
from benchmarks.quality.in_process import InProcess, opened_here
from mcp_memory.learning.patterns.confidence import Z_95_TWO_SIDED, wilson

INTENDED = ("tool", "action", "arguments")
Lived = tuple[str, bool, bool]  # source, whether it was warned about, whether it failed


async def lived(session: InProcess, episode: Any) -> list[Lived]:
    """Live through an episode; return what became of each step."""
    started = await session.call("start_episode", task=episode["task_description"], recall=False, **context_of(episode))
    found = []
    for recorded in episode["steps"]:
        step = split.step_line(recorded)
        intended = {name: step[name] for name in INTENDED if step.get(name)}
        advice = await session.call("suggest_next_step", episode_id=started["episode_id"], limit=1, intended=intended)
        await session.call("log_step", episode_id=started["episode_id"], **step)
        found.append((episode["source"], bool(advice["warnings"]), step["status"] == "error"))
    return found


def summarised(steps: Sequence[Lived]) -> dict[str, dict[str, Any]]:
    """Return, by source and over all: steps, base rate, warnings, precision with its interval, coverage."""
    by_source: dict[str, list[Lived]] = defaultdict(list)
    for step in steps:
        by_source[step[0]].append(step)
        by_source["ALL"].append(step)
    return {source: _row(rows) for source, rows in sorted(by_source.items())}


def _row(steps: Sequence[Lived]) -> dict[str, Any]:
    failed = sum(step[2] for step in steps)
    warned = sum(step[1] for step in steps)
    right = sum(step[1] and step[2] for step in steps)
    low, high = wilson(right, warned, Z_95_TWO_SIDED)
    return {
        "steps": len(steps),
        "base rate": failed / len(steps),
        "warned": warned,
        "precision": right / warned if warned else None,
        "from": low if warned else None,
        "to": high if warned else None,
        "coverage": right / failed if failed else None,
    }


async def run(folder: Path, work: Path) -> dict[str, Any]:
    """Return the rows, and how long the calls took."""
    async with opened_here(work, map(split.episode_line, split.memory(folder, "repeat"))) as session:
        session.durations_ms.clear()
        steps = [step for probe in split.probes(folder) for step in await lived(session, probe)]
        return {"rows": summarised(steps), "calls_ms": {name: summary(ms) for name, ms in session.durations_ms.items()}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_warnings", description=(__doc__ or "").splitlines()[2])
    parser.add_argument("split", type=Path)
    parser.add_argument("--work", type=Path, help="keep the filled memory here")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        result = asyncio.run(run(args.split, args.work or Path(scratch))) | {"circumstances": circumstances()}
    if args.json:
        print(json.dumps(result, indent=1))
        return 0
    print(table("steps of probes", result["rows"]))
    print(result["circumstances"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
