"""`mcp-memory forget`: delete episodes. Without --yes it only counts."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_json, add_span, given, words


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="EPISODE", help="ids; or say which with the options below")
    parser.add_argument("--yes", action="store_true", help="really delete")
    parser.add_argument("--reason", default="", help="kept with the tombstones")
    parser.add_argument("--state", choices=words("WhereFields", "state"))
    add_context(parser)
    add_span(parser)
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    where = given(args, (*CONTEXT, *SPAN, "state", "project"))
    if bool(args.ids) == bool(where):
        args.fail("name episodes, or say which with --project, --domain, --until …, not both")
    which = {"episode_ids": args.ids} if args.ids else {"filter": where}
    answer = with_memory(args, lambda memory: memory.forget(**which, confirm=args.yes, reason=args.reason))
    if args.json:
        render.print_json(answer)
        return 0
    counts = answer.deleted if args.yes else answer.would_delete
    print(("deleted: " if args.yes else "would delete: ") + (", ".join(f"{n} {kind}" for kind, n in (counts or {}).items()) or "nothing"))
    if not args.yes:
        print("run it again with --yes to delete")
    return 0
