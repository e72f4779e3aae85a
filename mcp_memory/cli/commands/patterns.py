"""`mcp-memory patterns`: what was learned, best supported first."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import add_common, add_json, given, words

if TYPE_CHECKING:
    from mcp_memory.domain.answers import PatternPage
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
    every = bool(args.json or args.all or args.kind)

    async def ask(memory: "EpisodicMemory") -> "PatternPage":
        return await memory.search_patterns(
            query=" ".join(args.query),
            min_support=args.min_support,
            min_confidence=args.min_confidence,
            telling=not every,
            limit=args.limit,
            cursor=args.cursor,
            project=await project_asked(memory, args),
            **given(args, ("kind", "domain")),
        )

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
    render.print_place(len(page.patterns), page.total, page.next_cursor)
    if not every:
        render.tell("these say more than which tools were used; --all lists the others, too")
    return 0
