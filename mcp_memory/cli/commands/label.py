"""`mcp-memory label`: how an episode ended, where the outcome was inferred or wrong. Reward, reflection and patterns follow."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json, words


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the episode, or the beginning of its id")
    parser.add_argument("outcome", choices=words("Label", "outcome"))
    parser.add_argument("--lesson", metavar="TEXT", default="", help="what a later attempt should know")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    done = with_memory(args, lambda memory: memory.label(args.id, args.outcome, args.lesson))
    if args.json:
        render.print_json(done)
    elif not done.changed:
        print(f"{done.episode_id} was {done.outcome} already")
    else:
        kind = render.paint(done.outcome, render.COLOURS.get(done.outcome, ""))
        print(f"{done.episode_id} is {kind} now (was {done.before}), reward {done.reward.score:.2f}")
    return 0
