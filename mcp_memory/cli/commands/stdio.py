"""`mcp-memory stdio`: the server an agent host starts."""

import argparse

from mcp_memory.cli.opening import log_to_stderr
from mcp_memory.cli.options import add_common, settings_of


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tools", choices=("core", "full"), help="which tool list to show (default: core)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    config = settings_of(args, server__tools=args.tools)
    log_to_stderr()
    from mcp_memory.server.stdio import serve

    return serve(config)
