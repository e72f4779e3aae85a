"""`mcp-memory episodes`: list what is stored."""

import argparse

from mcp_memory.cli import render
from mcp_memory.cli.opening import with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_json, add_span, given, scope, words


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="*", help="words to look for")
    parser.add_argument("--state", choices=words("SearchEpisodes", "state"))
    parser.add_argument("--sort", choices=words("SearchEpisodes", "sort"))
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--cursor", help="go on where an earlier answer stopped")
    add_context(parser)
    add_span(parser)
    add_json(parser)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    query = " ".join(args.query)
    page = with_memory(
        args,
        lambda memory: memory.search_episodes(
            query=query,
            sort=args.sort or ("relevance" if query else "newest"),
            limit=args.limit,
            cursor=args.cursor,
            project=scope(args),
            **given(args, (*CONTEXT, *SPAN, "state")),
        ),
    )
    if args.json:
        render.print_json(page)
        return 0
    rows = [
        (e.episode_id, render.iso(e.started_at_ms), e.project, e.outcome or e.state, e.reward, e.step_count, e.task) for e in page.episodes
    ]
    render.print_table(("episode", "started", "project", "outcome", "reward", "steps", "task"), rows)
    print(f"{len(page.episodes)} of {page.total}" + (f"; more with --cursor {page.next_cursor}" if page.next_cursor else ""))
    return 0
