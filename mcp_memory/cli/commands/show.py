"""`mcp-memory show`: one episode or pattern in full."""

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import add_common, add_json

if TYPE_CHECKING:
    from mcp_memory.domain.answers import EpisodeDetail, PatternDetail
    from mcp_memory.domain.episode import Step

PATTERN_PREFIX = "pat_"
ALL_STEPS = 5_000  # an episode has no more (domain/limits.py)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="an episode's or a pattern's id, or its beginning")
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
    for line in render.safe(episode.task).splitlines():
        render.tell(line, style="bold")
    kind = episode.outcome.kind if episode.outcome else episode.state
    print(f"{render.paint(kind, render.COLOURS.get(kind, ''))}, started {render.iso(episode.started_at_ms)}")
    context = episode.context
    fields = {
        "episode": episode.id,
        "project": episode.project,
        "kind": episode.task_type,
        "agent": episode.agent,
        "domain": context.domain,
    }
    fields |= {"language": context.language, "framework": context.framework, "tags": ", ".join(detail.tags)}
    for name, value in (fields | dict(episode.metadata)).items():
        if value not in ("", None):
            render.print_field(render.one_line(name), value)
    for step in episode.steps:
        _print_step(step)
    if episode.outcome:
        print()
        render.print_field("outcome", f"{kind}. {episode.outcome.summary}".strip())
        for lesson in episode.outcome.lessons:
            render.print_field("lesson", lesson)
    if detail.correction:
        render.print_field("corrected", detail.correction)
    if episode.reward:
        parts = ", ".join(f"{name} {value:.2f}" for name, value in episode.reward.components.items())
        render.print_field("reward", f"{episode.reward.score:.2f} ({parts})")
    if episode.reflection:
        from mcp_memory.cli.wording import for_people
        from mcp_memory.phrases import sentence

        for said in (*episode.reflection.successes, *episode.reflection.improvements, *episode.reflection.insights):
            render.tell(f"  {for_people(render.safe(sentence(said)))}", "  ")


def _print_step(step: "Step") -> None:
    """Print a step in full: what was called, what came back."""
    status = render.paint(step.status, "bad" if step.failed else "good")
    print(f"\n{render.paint(f'#{step.index}', 'bold')} {render.one_line(step.key)}  {status}")
    for name, value in step.arguments.items():
        render.print_field(render.one_line(name), value, "  ")
    if step.error:
        render.print_field("error", step.error, "  ")
    if step.observation and step.observation.strip() != (step.error or "").strip():  # hosts tell a failure once, and it is kept as both
        render.print_field("observation", step.observation, "  ")


def _print_pattern(detail: "PatternDetail") -> None:
    pattern = detail.pattern
    print(render.safe(pattern.description))
    counts = f"{pattern.successes} successes, {pattern.failures} failures"
    print(f"{pattern.kind} in project {detail.project}: {counts}, confidence {pattern.confidence:.2f}")
    if pattern.correction:
        print(f"corrected: {render.safe(pattern.correction)}")
    if detail.retired:
        print(f"retired: {render.safe(str(detail.confidence_from.retired_because))}")
    render.print_field("confidence from", asdict(detail.confidence_from))
    print(render.paint("evidence:", "dim"))
    for item in detail.evidence:
        outcome = "success" if item.success else "failure"
        print(f"  {item.episode_id}  {render.paint(outcome, render.COLOURS[outcome])}")
