"""`mcp-memory teach`: what was learnt, as a guide for agents: printed, or kept between markers in an AGENTS.md."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import add_common
from mcp_memory.errors import InvalidInput
from mcp_memory.rendering.marked_block import GUIDE, put

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", default="", help="of one domain (default: of the project)")
    parser.add_argument("--budget-tokens", type=int, default=900, help="how long the guide may be")
    parser.add_argument("--write", metavar="FILE", type=Path, help="put the guide between markers in this file, such as AGENTS.md")
    parser.add_argument("--undo", action="store_true", help="with --write: take the guide out of the file again")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if args.undo and args.write is None:
        raise InvalidInput("--undo needs --write FILE: the file to take the guide out of")
    if args.undo:
        print(put(args.write, "", GUIDE))
        return 0

    async def ask(memory: "EpisodicMemory") -> str:
        project = await project_asked(memory, args, otherwise="")
        return await memory.lessons_markdown(domain=args.domain, project=project, budget_tokens=args.budget_tokens)

    markdown = with_memory(args, ask)
    guide = render.safe(markdown)
    print(guide if args.write is None else put(args.write, guide, GUIDE))
    return 0
