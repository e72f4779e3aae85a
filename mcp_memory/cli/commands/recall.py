"""`mcp-memory recall`: what an agent would be told about a task."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_json, add_span, given

if TYPE_CHECKING:
    from mcp_memory.domain.answers import Recall
    from mcp_memory.memory import EpisodicMemory


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="+", help="the task, in any words")
    parser.add_argument("--limit", type=int, default=5)
    parser.add_argument("--budget-tokens", type=int, default=1500, help="how long the answer may be")
    parser.add_argument("--full", action="store_true", help="all details of each episode")
    parser.add_argument("--strict", action="store_true", help="the context below filters; without this it only boosts")
    add_context(parser)
    add_span(parser)
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    async def ask(memory: "EpisodicMemory") -> "Recall":
        return await memory.recall(
            query=" ".join(args.query),
            limit=args.limit,
            budget_tokens=args.budget_tokens,
            detail="full" if args.full else "compact",
            strict=args.strict,
            project=await project_asked(memory, args),
            **given(args, CONTEXT + SPAN),
        )

    answer = with_memory(args, ask)
    if args.json:
        render.print_json(answer)
        return 0
    from mcp_memory.rendering.lines import lines_for_people
    from mcp_memory.rendering.render import answer as wire

    for line in lines_for_people(wire(answer), why=args.full):
        render.tell(line, "   " + " " * (len(line) - len(line.lstrip())))
    render.note_degraded(answer.degraded)
    return 0
