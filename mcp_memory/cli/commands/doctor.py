"""`mcp-memory doctor`: every check that tells a sound installation from a broken one. Exit status 1 when one fails."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json


def options(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    checks = [tuple(check) for check in with_memory(args, lambda memory: memory.doctor())]
    if args.json:
        render.print_json([{"check": name, "ok": ok, "detail": detail} for name, ok, detail in checks])
    else:
        for name, ok, detail in checks:
            print(f"{'ok  ' if ok else 'FAIL'}  {name}: {detail}")
    return 0 if all(ok for _, ok, _ in checks) else 1
