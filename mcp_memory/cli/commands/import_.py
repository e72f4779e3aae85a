"""`mcp-memory import`: episodes from JSON Lines, or from another tool's transcripts.

A second import of the same file adds nothing. What cannot be read is reported with its line and reason, the rest is imported,
and the exit status is 1.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json
from mcp_memory.cli.transcripts.formats import FORMATS, USUAL_FOLDERS

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

MAX_PROBLEMS_SHOWN = 20  # on stderr; --json lists all


@dataclass(slots=True)
class Total:
    """The sum over all files."""

    added: int = 0
    skipped: int = 0
    open: int = 0
    problems: list[dict[str, object]] = field(default_factory=list)  # file, line, reason


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help="JSON Lines, .gz too, - for stdin; with --from: files or folders")
    parser.add_argument(
        "--from",
        dest="source",
        choices=FORMATS,
        help="convert another tool's transcripts (claude-code: from ~/.claude/projects when no FILE is given)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.cli.reading import Reader

    async def read_all(memory: "EpisodicMemory") -> Total:
        total = Total()
        with Reader(quiet=args.quiet) as reader:
            for source in reader.sources(args.files, args.source):
                report = await memory.import_lines(source.lines(), project=args.project or "")
                total.added += report.added
                total.skipped += report.skipped
                total.open += report.open
                total.problems += [{"file": source.name, "line": source.line_of(line), "reason": reason} for line, reason in report.errors]
                total.problems += [{"file": source.name, "line": line, "reason": reason} for line, reason in source.problems]
            await memory.settle(reader.remaining)
        return total

    if not args.files and args.source in USUAL_FOLDERS:
        args.files = [str(Path(USUAL_FOLDERS[args.source]).expanduser())]
    if not args.files:
        args.fail("name a file, or - for stdin")
    missing = [name for name in args.files if name != "-" and not Path(name).exists()]
    if missing:
        args.fail(f"no such file: {', '.join(missing)}")
    total = with_memory(args, read_all)
    if args.json:
        render.print_json(total)
    else:
        print(
            f"{total.added} episodes added ({total.open} of them open), {total.skipped} already there, {len(total.problems)} not readable"
        )
        _print_problems(total)
    return 1 if total.problems else 0


def _print_problems(total: Total) -> None:
    for problem in total.problems[:MAX_PROBLEMS_SHOWN]:
        place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        print(f"{place}: {problem['reason']}", file=sys.stderr)
    if len(total.problems) > MAX_PROBLEMS_SHOWN:
        print(f"… and {len(total.problems) - MAX_PROBLEMS_SHOWN} more; --json lists all", file=sys.stderr)
