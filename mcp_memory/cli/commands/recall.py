"""`mcp-memory recall`: what an agent would be told about a task."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_json, add_span, given, scope

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
    async def ask(memory: "EpisodicMemory") -> tuple["Recall", dict[str, str]]:
        answer = await memory.recall(
            query=" ".join(args.query),
            limit=args.limit,
            budget_tokens=args.budget_tokens,
            detail="full" if args.full else "compact",
            strict=args.strict,
            project=scope(args),
            **given(args, CONTEXT + SPAN),
        )
        ids = [*(e.episode_id for e in answer.episodes), *(p.pattern_id for p in answer.patterns)]
        return answer, dict(zip(ids, await memory.short_ids(ids), strict=True))

    answer, short = with_memory(args, ask)
    if args.json:
        render.print_json(answer)
        return 0
    for number, episode in enumerate(answer.episodes, 1):
        render.tell(f"{number}. {render.one_line(episode.task)}", "   ", style="bold")
        age = f"{episode.age_days:.0f} days ago"
        alike = f"{episode.similarity:.0%} alike"
        outcome = render.paint(episode.outcome, render.COLOURS.get(episode.outcome, ""))
        print(f"   {outcome}, reward {episode.reward:.2f}, {age}, {alike}  {short[episode.episode_id]}")
        for line in filter(None, (episode.summary, *episode.lessons, *episode.key_steps)):
            render.tell(f"   - {render.one_line(line)}", "     ")
        render.tell(f"   why: score {episode.score:.2f}: {render.why(episode.why)}", "     ")
    for file in answer.files:
        changed = f"changed by {file.changed} ({file.succeeded} a success)" if file.changed else "changed by none"
        render.tell(f"> {render.one_line(file.path)}: {file.why or f'in {file.attempts} of these, {changed}'}", "  ")
    for pattern in answer.patterns:
        render.tell(f"* {render.one_line(pattern.description)}", "   ")
        counts = f"{pattern.successes} of {pattern.support} succeeded"
        print(f"   {pattern.kind}, {counts}, confidence {pattern.confidence:.2f}  {short[pattern.pattern_id]}")
    if answer.outlook:
        print(f"outlook: {answer.outlook.expected_success:.0%} of such tasks succeed (from {answer.outlook.based_on} episodes)")
    if not answer.episodes and not answer.patterns:
        print(f"nothing recalled ({answer.considered} episodes considered)")
    render.note_degraded(answer.degraded)
    return 0
