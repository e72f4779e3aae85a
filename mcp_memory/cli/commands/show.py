"""`mcp-memory show`: one episode or pattern in full."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json

if TYPE_CHECKING:
    from mcp_memory.domain.answers import EpisodeDetail, PatternDetail

PATTERN_PREFIX = "pat_"
ALL_STEPS = 5_000  # an episode has no more (domain/limits.py)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="an episode's or a pattern's id")
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    if args.id.startswith(PATTERN_PREFIX):
        pattern = with_memory(args, lambda memory: memory.get_pattern(pattern_id=args.id))
        render.print_json(pattern) if args.json else _print_pattern(pattern)
    else:
        episode = with_memory(args, lambda memory: memory.get_episode(episode_id=args.id, detail="full", step_limit=ALL_STEPS))
        render.print_json(episode) if args.json else _print_episode(episode)
    return 0


def _print_episode(detail: "EpisodeDetail") -> None:
    episode = detail.episode
    print(render.safe(episode.task))
    context = episode.context
    about = filter(None, (episode.task_type, context.domain, context.language, context.framework, *detail.tags))
    print(f"{episode.state} in project {episode.project}, started {render.iso(episode.started_at_ms)}; {render.cell(tuple(about))}")
    for step in episode.steps:
        mark = "ok" if not step.failed else f"{step.status}: {render.one_line(step.error or '')}"
        print(f"  #{step.index} {step.key} {render.one_line(str(dict(step.arguments)), 80)} → {mark}")
        if step.observation:
            print(f"      {render.one_line(step.observation)}")
    if episode.outcome:
        print(f"outcome: {episode.outcome.kind}. {render.safe(episode.outcome.summary)}")
        for lesson in episode.outcome.lessons:
            print(f"  lesson: {render.one_line(lesson)}")
    if detail.correction:
        print(f"corrected: {render.safe(detail.correction)}")
    if episode.reward:
        parts = ", ".join(f"{name} {value:.2f}" for name, value in episode.reward.components.items())
        print(f"reward: {episode.reward.score:.2f} ({parts})")
    if episode.reflection:
        from mcp_memory.phrases import sentence

        for said in (*episode.reflection.successes, *episode.reflection.improvements, *episode.reflection.insights):
            print(f"  {render.one_line(sentence(said))}")


def _print_pattern(detail: "PatternDetail") -> None:
    pattern = detail.pattern
    print(render.safe(pattern.description))
    counts = f"{pattern.successes} successes, {pattern.failures} failures"
    print(f"{pattern.kind} in project {detail.project}: {counts}, confidence {pattern.confidence:.2f}")
    if pattern.correction:
        print(f"corrected: {render.safe(pattern.correction)}")
    if detail.retired:
        print(f"retired: {render.safe(str(detail.confidence_from['retired_because']))}")
    print(f"confidence from: {dict(detail.confidence_from)}")
    for item in detail.evidence:
        print(f"  {item['episode_id']}  {'succeeded' if item['success'] else 'failed'}")
