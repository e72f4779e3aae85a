"""`mcp-memory hook`: its options, and `drain`. Events are answered by `cli/hooks/client.py`, which comes here for rare options only."""

import argparse
import os
import sys

from mcp_memory.cli.hooks.spooling import DRAIN
from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.errors import ConfigError
from mcp_memory.server.hooks.events import EVENTS

NICENESS = 10  # the agent's next hook and the agent itself go first
MAX_ROUNDS = 5  # of draining while events keep coming; what is left waits for the next


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", choices=(*EVENTS, DRAIN), help="the event, whose JSON comes on stdin; `drain` takes in what waits")
    parser.add_argument("--host", metavar="NAME", help="the agent host that calls (default: claude-code)")
    parser.add_argument("--token-file", metavar="FILE", help="a file with the bearer token for the server (else MCP_MEMORY_TOKEN)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Take in what waits, one process at a time, without the model: a server embeds later what is written here."""
    from dataclasses import replace

    from mcp_memory.cli.opening import with_settings
    from mcp_memory.server.hooks import ledger, spool
    from mcp_memory.server.hooks.turns import folder_of

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


def read_token(path: str) -> str:
    """Return the token in a file, without surrounding space. Raises ConfigError: unreadable or empty."""
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            token = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the token file {path} cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"the token file {path} is empty")
    return token
