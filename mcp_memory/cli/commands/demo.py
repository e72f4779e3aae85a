"""`mcp-memory demo`: the whole walk in half a minute, through a real server process with the default settings."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json

if TYPE_CHECKING:
    from mcp_memory.cli.demo.narrator import Narrator


def options(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    import anyio

    from mcp_memory.cli.demo.narrator import Narrator

    narrator = Narrator(quiet=args.json)
    with tempfile.TemporaryDirectory(prefix="mcp-memory-demo-", ignore_cleanup_errors=True) as scratch:
        data_dir = Path(args.data_dir) if args.data_dir else Path(scratch) / "memory"
        anyio.run(_show, narrator, Path(scratch) / "project", data_dir)
    if args.json:
        render.print_json(narrator.record)
    return 0


async def _show(narrator: "Narrator", project: Path, data_dir: Path) -> None:
    from mcp_memory.cli.demo.agent import connected
    from mcp_memory.cli.demo.tasks import FIRST_DAY, PLAYBOOK_TASK, SECOND_DAY
    from mcp_memory.cli.demo.workspace import Workspace

    workspace = Workspace(project)
    narrator.say("DAY ONE. A server starts on an empty memory. The commands below really run; so do their failures.")
    async with connected(data_dir, workspace, narrator) as agent:
        for task in FIRST_DAY:
            await agent.work(task)
    narrator.say()
    narrator.say("DAY TWO. That server is gone; a new process opens the same directory. The tasks are new, and worded differently.")
    async with connected(data_dir, workspace, narrator) as agent:
        for task in SECOND_DAY:
            await agent.work(task)
        narrator.playbook(PLAYBOOK_TASK, await agent.call("recommend_playbook", task=PLAYBOOK_TASK, language="python"))
