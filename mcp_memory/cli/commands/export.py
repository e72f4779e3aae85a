"""`mcp-memory export`: episodes as JSON Lines, the form `import` reads."""

import argparse
import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from mcp_memory import private
from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_span, given, words

if TYPE_CHECKING:
    from mcp_memory.memory import EpisodicMemory


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default="-", help="where to (default: stdout; a name in .gz is compressed)")
    parser.add_argument("--state", choices=words("WhereFields", "state"))
    add_context(parser)
    add_span(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from mcp_memory.domain.requests import WhereFields

    where = WhereFields.read(given(args, (*CONTEXT, *SPAN, "state")))

    on_terminal = args.file == "-" and sys.stdout.isatty()

    async def write(memory: "EpisodicMemory") -> int:
        count, of_project = 0, where.but(project=await project_asked(memory, args))
        with _writer(args.file) as file:
            async for line in memory.export_lines(of_project):
                file.write((render.escaped(line) if on_terminal else line).rstrip("\n") + "\n")
                count += 1
        return count

    count = with_memory(args, write)
    if args.file != "-":
        print(f"{count} lines written to {args.file}", file=sys.stderr)
    return 0


@contextmanager
def _writer(name: str) -> Iterator[IO[str]]:
    """Open *name* for text. A file appears under its name only when it is complete."""
    if name == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    path = Path(name)
    part = path.with_name(path.name + ".part")
    with open(private.create(part), "wb") as raw, gzip.open(raw, "wb") if path.suffix == ".gz" else raw as packed:
        text = io.TextIOWrapper(cast(IO[bytes], packed), encoding="utf-8")
        yield text
        text.flush()
        text.detach()
    part.replace(path)
