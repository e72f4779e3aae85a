"""`mcp-memory config`: the settings in force, a file to begin with, a file looked over; secrets are masked."""

import argparse
from pathlib import Path

from mcp_memory.cli import render
from mcp_memory.cli.options import add_common, add_json, settings_of
from mcp_memory.errors import InvalidInput

ACTIONS = ("show", "init", "check")
FILE = "mcp-memory.toml"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="show", help="show (default), write a file, or look one over")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help=f"for init and check (default: --config, else {FILE})")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    file = args.file or Path(args.config or FILE)
    if args.action == "init":
        return _init(file)
    if args.action == "check":
        args.config = file
    return _show(args)


def _show(args: argparse.Namespace) -> int:
    from mcp_memory.config import settings

    config = settings_of(args)
    rows = settings(config)
    if args.action == "check":
        rows = [row for row in rows if row[2] == str(args.config)]
    if args.json:
        render.print_json([{"name": name, "value": value, "origin": origin} for name, value, origin in rows])
        return 0
    if args.action == "check":
        print(f"{args.config}: fine, {len(rows)} setting{'' if len(rows) == 1 else 's'}")
    if rows:
        render.print_table(("setting", "value", "from"), rows)
    for note in config.notes:
        print(f"note: {note}")
    if args.action == "show":
        print(f"data directory: {config.data_dir}")
    return 0


def _init(file: Path) -> int:
    """Write every setting with its default, commented out, unless there is a file."""
    from mcp_memory.config import template

    try:
        with file.open("x", encoding="utf-8") as made:
            made.write(template())
    except FileExistsError:
        raise InvalidInput(f"{file} is there already", hint="Nothing was changed. Name another file, or `check` this one.") from None
    print(f"{file}: written, with every setting and its default; uncomment what you change.\nNext: mcp-memory serve --config {file}")
    return 0
