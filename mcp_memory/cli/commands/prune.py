"""`mcp-memory prune`: the retention policy. Without --yes it only counts."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import add_common, add_json, size_bytes

if TYPE_CHECKING:
    from mcp_memory.domain.reports import Pruned
    from mcp_memory.memory import EpisodicMemory


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than-days", type=float, metavar="DAYS", help="ended longer ago than this")
    parser.add_argument("--below-reward", type=float, metavar="REWARD", help="with a reward below this (0 to 1)")
    parser.add_argument(
        "--max-size",
        "--max-bytes",
        dest="max_bytes",
        type=size_bytes,
        metavar="SIZE",
        help="while the store is larger (500K, 10M, 2G): the least rewarded, oldest first",
    )
    parser.add_argument("--archive", metavar="FILE", help="write what goes to FILE (interchange form) before it is deleted")
    parser.add_argument("--yes", action="store_true", help="really delete")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    async def prune(memory: "EpisodicMemory") -> "Pruned":
        return await memory.prune(
            older_than_days=args.older_than_days,
            below_reward=args.below_reward,
            max_bytes=args.max_bytes,
            project=await project_asked(memory, args),
            archive=args.archive,
            apply=args.yes,
        )

    answer = with_memory(args, prune)
    if args.json:
        render.print_json(answer)
        return 0
    counts = answer.deleted if args.yes else answer.would_delete
    print(("deleted: " if args.yes else "would delete: ") + (", ".join(f"{n} {kind}" for kind, n in (counts or {}).items()) or "nothing"))
    if answer.archive:
        print(f"archived in {answer.archive}")
    if not args.yes:
        print("run it again with --yes to delete")
    return 0
