"""`mcp-memory compact`: the database without the space of what was deleted."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json


def options(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    done = with_memory(args, lambda memory: memory.compact())
    render.print_json(done) if args.json else print(f"{done.before_bytes:,} bytes before, {done.after_bytes:,} after")
    return 0
