"""`mcp-memory teach`: what was learnt, as a guide for agents: printed, or kept between markers in an AGENTS.md."""

import argparse
from pathlib import Path

from mcp_memory.cli import render
from mcp_memory.cli.commands.lessons import guide
from mcp_memory.cli.options import add_common
from mcp_memory.errors import InvalidInput
from mcp_memory.rendering.marked_block import GUIDE, put


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
    text = render.safe(guide(args))
    print(text if args.write is None else put(args.write, text, GUIDE))
    return 0
