"""Learned: lessons and patterns by how well they held, with what followed where they were told."""

from collections.abc import Sequence

from mcp_memory.domain.answers import PatternPage
from mcp_memory.domain.pattern import PatternKind, ToldPattern
from mcp_memory.errors import NotFound
from mcp_memory.pages.calls import Answer, Call, GoTo, Page
from mcp_memory.pages.sessions import Notice
from mcp_memory.rendering.render import plain

MAX_TOLD = 20
LEAST_SUPPORT = 2  # attempts that bear a pattern out


async def listed(call: Call) -> Answer:
    """Patterns by words, kind and confidence."""
    query, kind = call.query.get("q", "").strip(), call.query.get("kind", "")
    cursor, every = call.query.get("cursor", ""), bool(kind or "all" in call.query)
    status = await call.dear("status", call.memory.memory_status)

    async def search() -> PatternPage:
        return await call.memory.search_patterns(
            query=query,
            kind=kind,
            project=call.session.project,
            min_support=LEAST_SUPPORT,
            telling=not every,
            limit=50,
            cursor=cursor or None,
        )

    page = await call.dear("patterns", search, query, kind, cursor, "every" if every else "")
    told: Sequence[ToldPattern] = ()
    if not (query or cursor):
        told = await call.dear("told", lambda: call.memory.told_patterns(project=call.session.project, limit=MAX_TOLD))
    return Page(
        "learned.html",
        {
            "page": page,
            "query": query,
            "kind": kind,
            "every": every,
            "kinds": list(PatternKind),
            "support": LEAST_SUPPORT,
            "holdout": status.learning.holdout,
            "counts": status.counts,
            "told": [row for row in told if not kind or row.kind == kind],
        },
    )


async def show(call: Call) -> Answer:
    """One pattern with its evidence."""
    detail = await call.memory.get_pattern(pattern_id=call.path["pattern_id"])
    tasks = await _tasks_of(call, [e.episode_id for e in detail.evidence])
    evidence = [plain(e) | {"task": tasks.get(e.episode_id, "")} for e in detail.evidence]
    return Page("pattern.html", {"detail": detail, "evidence": evidence})


async def _tasks_of(call: Call, ids: Sequence[str]) -> dict[str, str]:
    """Return what the episodes were about; one that was forgotten this moment is left out."""
    tasks = {}
    for episode_id in dict.fromkeys(ids):
        try:
            tasks[episode_id] = (await call.memory.get_episode(episode_id=episode_id, step_limit=1)).episode.task
        except NotFound:
            continue
    return tasks


async def correct(call: Call) -> Answer:
    """Put a correction over a pattern."""
    pattern_id = call.path["pattern_id"]
    text, contradicts = call.form.get("text", ""), "instead" in call.form
    await call.memory.correct(target_id=pattern_id, text=text, contradicts=contradicts, by="a person")
    call.session.notice = Notice("Corrected: your words are told instead from now on.")
    return GoTo(f"/ui/learned/{pattern_id}")
