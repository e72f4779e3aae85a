"""`mcp-memory hook`: its options for `--help`, and `drain`. Events are answered by `hooks/client.py`."""

import argparse
import sys

from mcp_memory.cli.options import add_common, settings_of
from mcp_memory.hooks.kinds import EVENTS
from mcp_memory.hooks.spooling import DRAIN

MAX_ROUNDS = 5  # of draining while events keep coming; what is left waits for the next


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("event", choices=(*EVENTS, DRAIN), help="the event, whose JSON comes on stdin; `drain` takes in what waits")
    parser.add_argument("--host", metavar="NAME", help="the agent host that calls (default: claude-code)")
    parser.add_argument("--token-file", metavar="FILE", help="a file with the bearer token for the server (else MCP_MEMORY_TOKEN)")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Take in what waits, one process at a time, without the model: a server embeds later what is written here."""
    from dataclasses import replace

    import anyio

    from mcp_memory.bootstrap import open_memory
    from mcp_memory.cli.opening import log_to_stderr
    from mcp_memory.hooks import sessions
    from mcp_memory.hooks.intake import Hooks
    from mcp_memory.hooks.wire import folder_of

    async def drained() -> None:
        async with open_memory(config) as memory:
            hooks = Hooks(memory, folder)
            for _ in range(MAX_ROUNDS):
                await hooks.drain()
                if next(sessions.waiting(folder), None) is None:  # a hook that found the lock taken started nobody
                    break
            await hooks.settle_dead()

    try:
        config = settings_of(args)
        config = replace(config, embedding=replace(config.embedding, provider="off"))
        folder = folder_of(config.data_dir)
        log_to_stderr()
        anyio.run(drained)
    except Exception as error:  # nothing is lost: it waits for the next who opens the memory
        print(f"mcp-memory hook {DRAIN}: {error}", file=sys.stderr)
    return 0
