"""python -m benchmarks.busy_memory EPISODES > FILE: interchange lines of a memory that many people fill, for the pages.

Tasks are tried again and again (the few popular ones hundreds of times, most once or twice), in several projects, up to the moment of
writing; errors and files come in as many kinds as there are tasks. The same seed and moment give the same bytes.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks import workloads

SEED = 20_27
ATTEMPTS_PER_TASK = 4  # on average
SPREAD_MS = 180 * 86_400_000  # over half a year
OPEN_SHARE = 0.005
PROJECTS = ("shop", "billing", "mobile", "data", "infra", "docs")
PROJECT_WEIGHTS = (40, 20, 15, 10, 10, 5)
_AREAS = ("api", "web", "jobs", "core", "tools", "models", "views", "tests")


def lines(count: int, now_ms: int, seed: int = SEED) -> Iterator[str]:
    """Yield *count* lines, oldest first."""
    source = random.Random(seed)
    tasks = [workloads.task(source) for _ in range(max(1, count // ATTEMPTS_PER_TASK))]
    weights = [1 / (rank + 1) ** 0.6 for rank in range(len(tasks))]
    chosen = source.choices(range(len(tasks)), weights, k=count)
    for number, task in enumerate(chosen):
        yield json.dumps(_episode(source, number, task, tasks[task], now_ms - SPREAD_MS + SPREAD_MS * number // count))


def _episode(source: random.Random, number: int, task: int, words: str, started_at_ms: int) -> dict[str, Any]:
    made = workloads.episode(source, number) | {"external_id": f"busy/{number}", "task": words}
    shift_ms = started_at_ms - made["started_at_ms"]
    kind = random.Random(task)  # what this task is like, whoever tries it
    made["project"] = kind.choices(PROJECTS, PROJECT_WEIGHTS)[0]
    own = [f"src/{kind.choice(_AREAS)}/{words.split()[1]}_{kind.randrange(400)}.py" for _ in range(3)]
    for step in made["steps"]:
        step["at_ms"] += shift_ms
        step["arguments"]["path"] = source.choice(own)
        if "error" in step:
            step["error"] = f"{step['error']} in {kind.choice(_AREAS)}_{kind.choice(_AREAS)}"
    made["started_at_ms"] += shift_ms
    made["ended_at_ms"] += shift_ms
    made["outcome"]["kind"] = source.choices(("success", "partial", "failure"), (1 + 8 * kind.random(), 2, 2))[0]
    if source.random() < OPEN_SHARE:
        del made["outcome"]
    return made


if __name__ == "__main__":
    for made_line in lines(int(sys.argv[1]), time.time_ns() // 1_000_000):
        print(made_line)
