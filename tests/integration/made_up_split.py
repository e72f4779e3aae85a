"""A few made-up episodes in the form of the recorded splits."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TASKS = ("mend the login page", "count the words of a report", "book a table for four")


def recorded(task: str, trial: int) -> dict[str, Any]:
    def step(tool: str, error: str | None = None) -> dict[str, Any]:
        parameters = {"path": "a.py"}
        return {"tool": tool, "action": tool, "parameters": parameters, "success": not error, "error": error, "output": "done"}

    good = trial != 1
    steps = [step("open"), step("edit", "no such line"), step("edit"), step("run", None if good else "failed"), step("submit")]
    context = {"domain": "d", "language": "en", "framework": task.split()[0], "tags": []}
    return {
        "episode_id": f"made_up/{task.split()[0]}/{trial}",
        "source": "made_up",
        "task_id": task,
        "task_description": task,
        "context": context,
        "steps": steps,
        "outcome": {"status": "success" if good else "failure", "artifacts": []},
    }


def write_episodes(root: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Write four attempts at every task into a split; return them, and the ids of those that its memories know: all but each last."""
    episodes = [recorded(task, trial) for task in TASKS for trial in range(4)]
    write(root / "episodes" / "made_up.jsonl.gz", episodes)
    return episodes, [e["episode_id"] for e in episodes if not e["episode_id"].endswith("/3")]


def write(path: Path, rows: Iterable[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
