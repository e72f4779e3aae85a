"""`mcp-memory patterns`: what was learned, best supported first."""

import argparse
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import add_common, add_json, given, words
from mcp_memory.domain.limits import MAX_SEARCH_LIMIT

if TYPE_CHECKING:
    from mcp_memory.domain.answers import PatternPage, RecalledPattern
    from mcp_memory.memory import EpisodicMemory


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="*", help="words to look for")
    parser.add_argument("--kind", choices=words("SearchPatterns", "kind"))
    parser.add_argument("--domain", metavar="NAME")
    parser.add_argument("--min-support", type=int, default=1, metavar="N", help="seen in at least N episodes")
    parser.add_argument("--min-confidence", type=float, default=0.0, metavar="X")
    parser.add_argument("--all", action="store_true", help="those that only count tools, too")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--cursor", help="go on where an earlier answer stopped")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    every = bool(args.json or args.all or args.kind or args.cursor)

    async def ask(memory: "EpisodicMemory") -> "PatternPage":
        search = partial(
            memory.search_patterns,
            query=" ".join(args.query),
            min_support=args.min_support,
            min_confidence=args.min_confidence,
            project=await project_asked(memory, args),
            **given(args, ("kind", "domain")),
        )
        return await search(limit=args.limit, cursor=args.cursor) if every else await _telling(search, args.limit)

    page = with_memory(args, ask)
    if args.json:
        render.print_json(page)
        return 0
    if page.patterns:
        rows = [
            (p.pattern_id, p.kind, p.support, f"{p.successes}/{p.failures}", p.confidence, p.correction or p.description)
            for p in page.patterns
        ]
        render.print_table(("pattern", "kind", "support", "won/lost", "confidence", "says"), rows)
    if every or not page.total:
        render.print_place(len(page.patterns), page.total, page.next_cursor)
    else:
        render.tell(f"{len(page.patterns)} of {page.total} say more than which tools were used; --all lists the others, too")
    return 0


async def _telling(search: "Callable[..., Awaitable[PatternPage]]", limit: int) -> "PatternPage":
    """Return the first patterns that say more than the names of tools; the total is of all."""
    found: list[RecalledPattern] = []
    cursor = None
    while True:
        page = await search(limit=MAX_SEARCH_LIMIT, cursor=cursor)
        found += [pattern for pattern in page.patterns if pattern.telling]
        cursor = page.next_cursor
        if cursor is None or len(found) >= limit:
            return replace(page, patterns=tuple(found[:limit]), next_cursor=None)
