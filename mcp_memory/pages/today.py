"""Today: what went on lately, what keeps going wrong, what waits for a word."""

from collections.abc import Sequence

from mcp_memory.domain.activity import FoundSessions
from mcp_memory.pages.calls import Answer, Call, Page

SHOWN = 8


async def show(call: Call) -> Answer:
    """The first page."""
    project = call.session.project
    activity = await call.dear("activity", lambda: call.memory.recent_activity(project=project))
    latest = await call.memory.search_episodes(project=project, sort="newest", limit=SHOWN, state="completed")
    still_open = await call.memory.search_episodes(project=project, sort="newest", limit=SHOWN, state="open")
    forks = await call.dear("forks", lambda: call.memory.forked_tasks(project=project, limit=3), "3")
    status = await call.dear("status", call.memory.memory_status)
    highest = max([d.worked + d.other for d in activity.days], default=0)
    return Page(
        "today.html",
        {
            "activity": activity,
            "latest": latest,
            "open": still_open,
            "forks": forks,
            "highest": max(1, highest),
            "status": status,
            "found": await _found(call),
        },
    )


async def _found(call: Call) -> Sequence[FoundSessions]:
    """Return the sessions on this machine that were not imported; nothing while they are being read for the first time."""
    look = call.look
    return (await call.soon("found", lambda: look(call.memory)) if look is not None else None) or ()
