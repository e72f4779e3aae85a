"""`mcp-memory sync`: bring the memory into step with its shared logs now. Exit status 1 when one of them is not."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json

WAIT_S = 60.0


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help=f"where a server does it, wait for that one, {WAIT_S:.0f} s at most")
    parser.add_argument("--full", action="store_true", help="read the logs from their beginning, and tell them everything there is here")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    found = with_memory(args, lambda memory: memory.sync(full=args.full, wait_s=WAIT_S if args.wait else 0.0))
    if args.json:
        render.print_json(found)
    elif not found.remotes:
        print("this memory is not shared; `mcp-memory remote add URL` sets it up")
    for remote in found.remotes if not args.json else ():
        told = f", {remote.pending} facts still to be sent" if remote.pending else ""
        print(f"{remote.url}: {remote.state}{told}")
        if remote.last_error:
            print(f"  {remote.last_error}")
    return 0 if all(remote.pending == 0 and not remote.last_error for remote in found.remotes) else 1
