"""`mcp-memory backup`: the memory in one file, from one moment, while anybody goes on writing."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default="", help="where to (default: the data directory's backups/, under the time's name)")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    made = with_memory(args, lambda memory: memory.backup(args.file))
    if args.json:
        render.print_json(made)
    else:
        counts = made.manifest.counts
        print(f"{made.path}: {counts.get('episodes', 0)} episodes, {counts.get('steps', 0)} steps, {made.size_bytes:,} bytes")
    return 0
