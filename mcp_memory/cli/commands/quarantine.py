"""`mcp-memory quarantine`: nothing of an agent or a session counts any more, until it is released. Without a name: what is quarantined."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json, person, words


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="AGENT|SESSION", help="an agent's name or a session's id (default: list them)")
    parser.add_argument("--kind", choices=words("QuarantineSource", "kind"), help="which of the two, where a name could be both")
    parser.add_argument("--undo", action="store_true", help="release it: everything of it comes back")
    parser.add_argument("--reason", default="", help="kept with it")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if args.source is None:
        return _list(args)
    done = with_memory(
        args, lambda memory: memory.quarantine(args.source, args.kind or "", undo=args.undo, reason=args.reason, by=person())
    )
    if args.json:
        render.print_json(done)
    else:
        print(f"{'quarantined' if done.active else 'released'} {done.kind} {render.safe(done.name)}: {done.episodes} episodes")
    return 0


def _list(args: argparse.Namespace) -> int:
    found = with_memory(args, lambda memory: memory.quarantines())
    if args.json:
        render.print_json(found)
    else:
        rows = [(q.kind, q.name, render.iso(q.at_ms), q.by, q.reason) for q in found]
        render.print_table(("kind", "name", "since", "by", "reason"), rows) if rows else print("nothing is quarantined")
    return 0
