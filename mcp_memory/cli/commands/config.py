"""`mcp-memory config`: the settings in force; secrets are masked."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json, settings_of


def options(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.config import settings

    config = settings_of(args)
    rows = settings(config)
    if args.json:
        render.print_json([{"name": name, "value": value, "origin": origin} for name, value, origin in rows])
        return 0
    render.print_table(("setting", "value", "from"), rows)
    print(f"data directory: {config.data_dir}")
    return 0
