"""`mcp-memory man`: the manual page, for `man -l -` or a folder of MANPATH."""

import argparse


def options(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    from mcp_memory.cli.manual import man_page

    print(man_page(), end="")
    return 0
