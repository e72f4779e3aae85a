"""The scripted agent: an ordinary MCP client that starts the server, keeps its memory, and acts on what it is told."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters

from mcp_memory.cli.demo.narrator import Narrator
from mcp_memory.cli.demo.tasks import Plan, Task
from mcp_memory.cli.demo.workspace import Workspace
from mcp_memory.errors import McpMemoryError

Answer = dict[str, Any]
CALL_TIMEOUT_S = 60


class Agent:
    """An agent host's side of one MCP connection."""

    def __init__(self, client: Client, workspace: Workspace, narrator: Narrator) -> None:
        self._client, self._workspace, self._narrator = client, workspace, narrator

    async def call(self, tool: str, /, **arguments: Any) -> Answer:
        """Call a tool and return its structured answer. Raises McpMemoryError with the server's own line."""
        result = await self._client.call_tool(tool, arguments)
        if result.is_error:
            raise McpMemoryError(" ".join(getattr(part, "text", "") for part in result.content))
        return dict(result.structured_content or {})

    async def work(self, task: Task) -> None:
        """Do one task: start an episode, make the moves and log each, complete it."""
        started = await self.call(
            "start_episode", task=task.text, task_type=task.task_type, domain=task.domain, language="python", agent="demo"
        )
        episode_id = started["episode_id"]
        self._narrator.started(task, started)
        plan = choose(task, started["recalled"])
        if len(task.plans) > 1:
            self._narrator.chose(plan)
        for move in plan.moves:
            step = self._workspace.make(move)
            logged = await self.call("log_step", episode_id=episode_id, **step)
            self._narrator.step(logged["step_index"], step)
            if task.asks and step.get("status") == "error":
                self._narrator.advised(await self.call("suggest_next_step", episode_id=episode_id))
        failed = step.get("status") == "error"
        outcome = "failure" if failed else task.outcome
        completed = await self.call(
            "complete_episode", episode_id=episode_id, outcome=outcome, summary=task.summary, lessons=list(task.lessons)
        )
        self._narrator.completed(completed)
        await self._thank(started, helped=not failed)

    async def _thank(self, started: Answer, *, helped: bool) -> None:
        """Tell the memory whether the episode it recalled first was of use."""
        recalled = started["recalled"] or {}
        if recalled.get("episodes"):
            used = [recalled["episodes"][0]["episode_id"]]
            verdict = "helped" if helped else "no_effect"
            await self.call("give_feedback", recommendation_id=recalled["recommendation_id"], outcome=verdict, used_ids=used)


def choose(task: Task, recalled: Answer | None) -> Plan:
    """Return the first plan whose word stands in the best recalled episode; the last plan needs none."""
    episodes = (recalled or {}).get("episodes") or []
    known = " ".join([episodes[0].get("summary", ""), *episodes[0].get("lessons", [])]) if episodes else ""
    return next(plan for plan in task.plans if plan.needs in known)


@asynccontextmanager
async def connected(data_dir: Path, workspace: Workspace, narrator: Narrator) -> AsyncIterator[Agent]:
    """Start a server process on *data_dir* with the default settings, connect over stdio, stop it when the block ends."""
    arguments = ["-m", "mcp_memory", "stdio", "--data-dir", str(data_dir), "--project", "demo"]
    inherited = {"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else None
    parameters = StdioServerParameters(command=sys.executable, args=arguments, env=inherited)
    async with Client(parameters, read_timeout_seconds=CALL_TIMEOUT_S) as client:
        yield Agent(client, workspace, narrator)
