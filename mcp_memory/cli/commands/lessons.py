"""`mcp-memory lessons`: a short guide from the best-supported patterns, to read or to put into an AGENTS.md."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import add_common, add_json

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", default="", help="lessons of one domain (default: of the project)")
    parser.add_argument("--budget-tokens", type=int, default=1500, help="how long the guide may be")
    add_json(parser)
    add_common(parser)


def guide(args: argparse.Namespace) -> str:
    """Return the guide that the options ask for."""

    async def ask(memory: "EpisodicMemory") -> str:
        project = await project_asked(memory, args, otherwise="")
        return await memory.lessons_markdown(domain=args.domain, project=project, budget_tokens=args.budget_tokens)

    return with_memory(args, ask)


def run(args: argparse.Namespace) -> int:
    markdown = guide(args)
    render.print_json({"markdown": markdown}) if args.json else print(render.safe(markdown))
    return 0
