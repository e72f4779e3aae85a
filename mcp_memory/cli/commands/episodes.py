"""`mcp-memory episodes`: list what is stored."""

import argparse
from typing import TYPE_CHECKING

from mcp_memory.cli import render
from mcp_memory.cli.opening import project_asked, with_memory
from mcp_memory.cli.options import CONTEXT, SPAN, add_common, add_context, add_json, add_span, given, words

if TYPE_CHECKING:
    from mcp_memory.domain.answers import EpisodePage
    from mcp_memory.memory import EpisodicMemory


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

    async def ask(memory: "EpisodicMemory") -> tuple["EpisodePage", list[str]]:
        page = await memory.search_episodes(
            query=query,
            sort=args.sort or ("relevance" if query else "newest"),
            limit=args.limit,
            cursor=args.cursor,
            project=await project_asked(memory, args),
            **given(args, (*CONTEXT, *SPAN, "state")),
        )
        return page, await memory.short_ids([e.episode_id for e in page.episodes])

    page, short_ids = with_memory(args, ask)
    if args.json:
        render.print_json(page)
        return 0
    if not page.total and not (query or given(args, (*CONTEXT, *SPAN, "state", "project"))):
        render.tell(
            "No episodes yet. `mcp-memory install` connects the agents on this machine, `mcp-memory import` takes in earlier sessions."
        )
        return 0
    if not page.episodes and not args.cursor:
        render.tell("No episode is like that; `mcp-memory episodes` lists all, the newest first.")
        return 0
    projects = render.project_names([e.project for e in page.episodes])
    rows = [
        (short, e.outcome or e.state, e.reward, e.step_count, render.iso(e.started_at_ms), projects[e.project], e.task)
        for short, e in zip(short_ids, page.episodes, strict=True)
    ]
    render.print_table(("episode", "outcome", "reward", "steps", "started", "project", "task"), rows, optional=("started", "steps"))
    render.print_place(len(page.episodes), page.total, page.next_cursor, more_than_total=page.more_than_total)
    return 0
