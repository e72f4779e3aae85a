"""`mcp-memory recall`: what an agent would be told about a task."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_json, add_span, given, scope


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
    answer = with_memory(
        args,
        lambda memory: memory.recall(
            query=" ".join(args.query),
            limit=args.limit,
            budget_tokens=args.budget_tokens,
            detail="full" if args.full else "compact",
            strict=args.strict,
            project=scope(args),
            **given(args, CONTEXT + SPAN),
        ),
    )
    if args.json:
        render.print_json(answer)
        return 0
    for number, episode in enumerate(answer.episodes, 1):
        print(render.paint(f"{number}. {render.one_line(episode.task)}", "bold"))
        age = f"{episode.age_days:.0f} days ago"
        alike = f"{episode.similarity:.0%} alike"
        outcome = render.paint(episode.outcome, render.COLOURS.get(episode.outcome, ""))
        print(f"   {outcome}, reward {episode.reward:.2f}, {age}, {alike}, score {episode.score:.2f}  {episode.episode_id}")
        for line in filter(None, (episode.summary, *episode.lessons, *episode.key_steps)):
            print(f"   - {render.one_line(line)}")
        print(f"   why: {render.why(episode.why)}")
    for file in answer.files:
        changed = f"changed by {file.changed} ({file.succeeded} a success)" if file.changed else "changed by none"
        print(f"> {render.one_line(file.path)}: {file.why or f'in {file.attempts} of these, {changed}'}")
    for pattern in answer.patterns:
        print(f"* {render.one_line(pattern.description)}")
        counts = f"{pattern.successes} of {pattern.support} succeeded"
        print(f"   {pattern.kind}, {counts}, confidence {pattern.confidence:.2f}  {pattern.pattern_id}")
    if answer.outlook:
        print(f"outlook: {answer.outlook.expected_success:.0%} of such tasks succeed (from {answer.outlook.based_on} episodes)")
    if not answer.episodes and not answer.patterns:
        print(f"nothing recalled ({answer.considered} episodes considered)")
    render.note_degraded(answer.degraded)
    return 0
