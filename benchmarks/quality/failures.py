"""Is the memory as sure as it is right after a failed step? Recorded episodes that are not in memory are lived through, step by step."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.quality import split
from benchmarks.quality.answers import opened_after
from benchmarks.quality.baselines import tool_key
from benchmarks.quality.session import Session
from mcp_memory.domain.step_keys import joined

SETTINGS = ("repeat", "transfer")


def questions(folder: Path) -> list[dict[str, Any]]:
    """Return the episodes outside each memory that have a failed step and a later one that worked; none for a memory that is not there."""
    held = json.loads((folder / "memory.json").read_text())
    recorded = split.episodes(folder)
    found = []
    for setting in SETTINGS:
        inside = set(held.get(setting) or [e["episode_id"] for e in recorded])
        for episode in recorded:
            if episode["episode_id"] not in inside and list(_failures(episode["steps"])):
                qid = f"calibration/{setting}/{episode['episode_id']}"
                found.append(
                    {"qid": qid, "setting": setting, **{k: episode[k] for k in ("source", "task_description", "context", "steps")}}
                )
    return found


async def after_failures(session: Session, question: dict[str, Any]) -> dict[str, Any]:
    """Return, for every failed step of the episode, the first suggestion, its confidence, what was done next, and what worked next."""
    steps = question["steps"]
    episode_id, logged, asked = await opened_after(session, question, []), 0, []
    for at in _failures(steps):
        lines = [split.step_line(s) for s in steps[logged : at + 1]]
        await session.call("log_steps", episode_id=episode_id, steps=lines)
        logged = at + 1
        found = (await session.call("suggest_next_step", episode_id=episode_id, limit=1))["suggestions"]
        if found:
            first = {"key": joined(found[0]["tool"], found[0]["action"]), "confidence": found[0]["confidence"]}
            worked = next(s for s in steps[at + 1 :] if s["success"])
            asked.append(first | {"at": at, "taken": tool_key(steps[at + 1]), "worked": tool_key(worked)})
    return {"qid": question["qid"], "setting": question["setting"], "source": question["source"], "asked": asked}


def _failures(steps: list[Any]) -> Iterator[int]:
    """Yield where a step failed and a later one worked."""
    last = max((i for i, step in enumerate(steps) if step["success"]), default=0)
    yield from (i for i, step in enumerate(steps[:last]) if not step["success"])
