"""`mcp-memory stats`: the memory's own report."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json


def options(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    status = with_memory(args, lambda memory: memory.memory_status())
    if args.json:
        render.print_json(status)
        return 0
    print(f"mcp-memory {status.version}, data in {status.data_dir}, durability {status.durability}, {status.processes} process(es)")
    rows = [(name, count) for name, count in status.counts.items()]
    for section in ("embedding", "replication", "learning"):
        rows += [(f"{section}.{key}", value) for key, value in getattr(status, section).items()]
    rows += [(f"cache.{name}.{key}", value) for name, values in status.caches.items() for key, value in values.items()]
    render.print_table(("what", "value"), rows)
    for warning in status.warnings:
        print(f"warning: {warning}")
    render.note_degraded(status.degraded)
    return 0
