"""`mcp-memory stdio`: the server an agent host starts."""

import argparse
import os
import sys

from mcp_memory.cli.opening import log_to_stderr
from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.hooks import signs, wire

_PARENT = os.getppid()  # as early as can be: a host may end while the protocol's library loads


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tools", choices=("core", "full"), help="which tool list to show (default: core)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    config = settings_of(args, server__tools=args.tools)
    signs.note_start(wire.folder_of(config.data_dir))  # loading what follows takes longer than a prompt's hook waits by itself
    log_to_stderr(config.server.log_format)
    if sys.stdin.isatty() and sys.stderr.isatty():
        print(
            f"mcp-memory speaks MCP on stdin and stdout: an agent host starts it, nobody types here. The memory is in {config.data_dir}.\n"
            "Next: `mcp-memory install` connects the agents on this machine, `mcp-memory demo` shows what it does, `mcp-memory help` lists"
            " the commands. Ctrl-D ends it.",
            file=sys.stderr,
        )
    from mcp_memory.server.stdio import serve

    return serve(config, parent=_PARENT)
