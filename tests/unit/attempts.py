"""Attempts as tests make them, through the facade."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.memory import EpisodicMemory

Step = Mapping[str, Any]


def shell(command: str, error: str | None = None) -> Step:
    return {"tool": "bash", "arguments": {"command": command}, "observation": "" if error else "ok", "error": error}


async def attempt(memory: EpisodicMemory, task: str, outcome: str, *steps: Step, **said: Any) -> None:
    """Make an attempt at a task and wait until it can be found by its meaning; *said* is what its agent says of it in the end."""
    started = await memory.start_episode(task, recall=False)
    await memory.log_steps(started.episode_id, steps=list(steps))
    await memory.complete_episode(started.episode_id, outcome, **said)
    await memory.settle()
