"""`mcp-memory hook`: its options, and `drain`. Events are answered by `hooks/client.py`, which comes here for rare options only."""

import argparse
import os
import sys

from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.hooks.events import EVENTS
from mcp_memory.hooks.spooling import DRAIN

NICENESS = 10  # the agent's next hook and the agent itself go first
MAX_ROUNDS = 5  # of draining while events keep coming; what is left waits for the next


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", choices=(*EVENTS, DRAIN), help="the event, whose JSON comes on stdin; `drain` takes in what waits")
    parser.add_argument("--token-file", metavar="FILE", help="a file with the bearer token for the server (else MCP_MEMORY_TOKEN)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Take in what waits, one process at a time, without the model: a server embeds later what is written here."""
    from dataclasses import replace

    from mcp_memory.cli.opening import with_settings
    from mcp_memory.hooks import ledger, spool
    from mcp_memory.hooks.turns import folder_of

    async def opened(_: object) -> None:
        """Opening is all: whoever opens the memory takes in what waits."""

    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        config = settings_of(args)
        config = replace(config, embedding=replace(config.embedding, provider="off"))
        folder = folder_of(config)
        for _ in range(MAX_ROUNDS):
            lock = spool.hold_drain(folder)
            if lock is None:
                break
            with_settings(config, opened)
            os.close(lock)
            if not ledger.waiting(folder):  # looked after the lock is open again: a hook that found it closed started nobody
                break
    except Exception as error:  # nothing is lost: it waits for the next who opens the memory
        print(f"mcp-memory hook {DRAIN}: {error}", file=sys.stderr)
    return 0
