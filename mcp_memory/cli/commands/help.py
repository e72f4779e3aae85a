"""`mcp-memory help [COMMAND]`: what `main.py` answers itself; here is what it takes."""

import argparse


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", nargs="?", help="the command whose options to list")


def run(args: argparse.Namespace) -> int:
    from mcp_memory.cli.main import main

    return main(["help", *([args.command] if args.command else [])])
