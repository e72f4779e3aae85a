"""`mcp-memory teach`: what was learnt, as a guide for agents: printed, or kept between markers in an AGENTS.md."""

import argparse
from pathlib import Path

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common
from mcp_memory.errors import InvalidInput

BEGIN, END = "<!-- begin mcp-memory guide: written by `mcp-memory teach --write`, replaced by the next -->", "<!-- end mcp-memory guide -->"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("domain", nargs="?", default="", help="of one domain (default: of the project)")
    parser.add_argument("--budget-tokens", type=int, default=900, help="how long the guide may be")
    parser.add_argument("--write", metavar="FILE", type=Path, help="put the guide between markers in this file, such as AGENTS.md")
    parser.add_argument("--undo", action="store_true", help="with --write: take the guide out of the file again")
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if args.undo and args.write is None:
        raise InvalidInput("--undo needs --write FILE: the file to take the guide out of")
    if args.undo:
        print(_put(args.write, ""))
        return 0
    markdown = with_memory(
        args, lambda memory: memory.lessons_markdown(domain=args.domain, project=args.project or "", budget_tokens=args.budget_tokens)
    )
    guide = render.safe(markdown)
    print(guide if args.write is None else _put(args.write, guide))
    return 0


def _put(path: Path, guide: str) -> str:
    """Put *guide* between the markers of a file, or take them out when it is empty, and return what was done."""
    from mcp_memory.cli.install import files

    found = files.read(path)
    try:
        old = (found or b"").decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8", hint="Nothing was changed.") from error
    new = with_guide(old, guide)
    if new == old:
        return f"{path}: nothing to change"
    if found is not None and not new:
        files.remove(path, [])
        return f"{path}: removed, it held the guide alone"
    files.write(path, new.encode("utf-8"))
    return f"{path}: the guide was {'written' if guide else 'taken out'}"


def with_guide(text: str, guide: str) -> str:
    """Return *text* with *guide* between the markers instead of what was there; without markers when it is empty.

    Doing it twice is doing it once, and an empty guide gives back what was there before the first.

    Raises InvalidInput: one marker without the other, or in the wrong order.

    >>> once = with_guide("# Rules\\n", "- a")
    >>> with_guide(once, "- a") == once, with_guide(once, "")
    (True, '# Rules\\n')
    """
    start, end = text.find(BEGIN), text.find(END)
    if (start < 0) != (end < 0) or end < start:
        raise InvalidInput("the file has one marker of a guide without the other", hint="Nothing was changed. Mend or remove the markers.")
    inert = guide.replace(BEGIN, "").replace(END, "")
    block = f"{BEGIN}\n{inert.strip()}\n{END}\n" if guide else ""
    if start < 0:
        return f"{text}{_gap(text)}{block}" if block else text
    before, after = text[:start], text[end + len(END) :].removeprefix("\n")
    if not block:
        before = before.removesuffix("\n") if before.endswith("\n\n") else before
    return f"{before}{block}{after}"


def _gap(text: str) -> str:
    return "" if not text else "\n" if text.endswith("\n") else "\n\n"
