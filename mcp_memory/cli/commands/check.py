"""`mcp-memory check`: everything stored against everything else. Exit status 1 when something is wrong, or is left wrong."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import log_to_stderr
from mcp_memory.cli.options import add_common, add_json, settings_of


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repair", action="store_true", help="make again what can be derived: indexes, counts, tags, evidence, vectors, copies"
    )
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    import anyio

    from mcp_memory.bootstrap import check_memory

    log_to_stderr()
    config = settings_of(args)
    found = anyio.run(lambda: check_memory(config, repair=args.repair))
    if args.json:
        render.print_json(found)
        return 1 if found.problems else 0
    for done in found.repaired:
        render.tell(f"repaired: {done}")
    for problem in found.problems:
        render.tell(f"wrong: {problem}", mark="bad")
    if not found.problems:
        print("sound")
    elif args.repair:
        print("this cannot be made again: `mcp-memory restore` brings back a backup, `mcp-memory sync --full` episodes from a shared log")
    else:
        print("`mcp-memory check --repair` makes again what can be derived; make a backup of the directory's files first")
    return 1 if found.problems else 0
