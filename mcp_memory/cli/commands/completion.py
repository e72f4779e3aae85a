"""`mcp-memory completion SHELL`: a script for the shell, to be read at its start."""

import argparse

SHELLS = ("bash", "zsh", "tcsh")


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help='for bash: `eval "$(mcp-memory completion bash)"` in ~/.bashrc')


def run(args: argparse.Namespace) -> int:
    import shtab

    from mcp_memory.cli.manual import whole_parser

    print(shtab.complete(whole_parser(), shell=args.shell))
    return 0
