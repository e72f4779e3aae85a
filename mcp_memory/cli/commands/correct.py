"""`mcp-memory correct`: a person's word on what was learned. It outranks what it corrects."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json, person


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the pattern or episode")
    parser.add_argument("text", help="what is right instead")
    parser.add_argument("--reason", default="")
    parser.add_argument("--contradicts", action="store_true", help="it is plainly wrong: stop recommending it")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    with_memory(args, lambda memory: memory.correct(args.id, args.text, reason=args.reason, contradicts=args.contradicts, by=person()))
    render.print_json({"corrected": args.id}) if args.json else print(f"corrected {args.id}")
    return 0
