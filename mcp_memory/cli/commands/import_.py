"""`mcp-memory import`: episodes from JSON Lines, transcripts, other memories, or every agent host's sessions on this machine.

A second import of the same adds nothing, so one that was stopped is simply run again. What cannot be read is reported with its line and
reason, the rest is imported, and the exit status is 1.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json
from mcp_memory.cli.transcripts.formats import FORMATS, recognised, transcript_files
from mcp_memory.cli.transcripts.hosts import folders_of

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory

MAX_PROBLEMS_SHOWN = 20  # on stderr; --json lists all

Named = tuple[str | None, str]  # (format, None for the interchange form; file)


@dataclass(slots=True)
class Total:
    """The sum over all files."""

    added: int = 0
    skipped: int = 0
    open: int = 0
    records: int = 0
    records_skipped: int = 0
    problems: list[dict[str, object]] = field(default_factory=list)  # file, line, reason
    notes: list[str] = field(default_factory=list)  # what was made of the files beside the episodes


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="JSON Lines, .gz too, - for stdin, or one agent host's session; with --from: files or folders",
    )
    parser.add_argument(
        "--from",
        dest="source",
        choices=FORMATS,
        help="convert another tool's transcripts or memory; an agent host's from the folder it keeps them in when no FILE is given",
    )
    parser.add_argument("--yes", action="store_true", help="without FILE and --from: import all sessions that are found, do not ask")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if not args.files and args.source is None:
        from mcp_memory.cli.found_sessions import chosen

        named = chosen(args)
        if named is None:
            if args.json:
                render.print_json(Total())
            return 0
    else:
        named = _named(args)
    total = with_memory(args, lambda memory: read_all(memory, named, project=args.project or "", quiet=args.quiet))
    if args.files and args.source is None:
        total.notes += [f"{path}: read as of {kind}" for kind, path in named if kind]
    if args.json:
        render.print_json(total)
    else:
        print(
            f"{total.added} episodes added ({total.open} of them open), {total.skipped} already there, {len(total.problems)} not readable"
        )
        for note in total.notes:
            print(note)
        _print_problems(total)
    return 1 if total.problems else 0


def _named(args: argparse.Namespace) -> list[Named]:
    """Return the files that the command line means."""
    if not args.files:
        args.files = [str(folder) for folder in folders_of(args.source) if folder.is_dir()]
        if not args.files:
            places = " or ".join(map(str, folders_of(args.source)))
            args.fail(
                f"{args.source} has no sessions in {places}; name a file" if places else f"name the files of {args.source} to convert"
            )
    missing = [name for name in args.files if name != "-" and not Path(name).exists()]
    if missing:
        args.fail(f"no such file: {', '.join(missing)}")
    if args.source is None:
        return [(None if name == "-" else recognised(Path(name)) or None, name) for name in args.files]
    return [(args.source, str(path)) for name in args.files for path in transcript_files(args.source, Path(name))]


async def read_all(memory: "EpisodicMemory", named: Sequence[Named], *, project: str, quiet: bool) -> Total:
    """Import the files in turn; return what became of them."""
    from mcp_memory.cli.reading import Reader, Source, Transcript

    total, converted, running = Total(), dict[str, int](), 0
    with Reader(quiet=quiet) as reader:
        reader.expect(path for _, path in named)
        for kind, path in named:
            source = Source(path, reader) if kind is None else Transcript(path, reader, kind)
            report = await memory.import_lines(source.lines(), project=project)
            total.added += report.added
            total.skipped += report.skipped
            total.open += report.open
            total.records += report.records
            total.records_skipped += report.records_skipped
            total.problems += [{"file": source.name, "line": source.line_of(line), "reason": reason} for line, reason in report.errors]
            total.problems += [{"file": source.name, "line": line, "reason": reason} for line, reason in source.problems]
            running += len(source.running)
            for unit, count in report.converted.items():
                converted[unit] = converted.get(unit, 0) + count
        await memory.settle(reader.remaining)
    total.notes += [f"times in {unit}, not milliseconds, that were converted: {count}" for unit, count in converted.items()]
    if total.records or total.records_skipped:
        total.notes.append(f"links, checkpoints, corrections and votes: {total.records} added, {total.records_skipped} already there")
    if running:
        total.notes.append(f"tasks still running, left for the next import: {running}")
    return total


def _print_problems(total: Total) -> None:
    for problem in total.problems[:MAX_PROBLEMS_SHOWN]:
        place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        print(f"{place}: {problem['reason']}", file=sys.stderr)
    if len(total.problems) > MAX_PROBLEMS_SHOWN:
        print(f"… and {len(total.problems) - MAX_PROBLEMS_SHOWN} more; --json lists all", file=sys.stderr)
