"""Whose episodes are shown."""

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.text import tidy_name
from mcp_memory.pages.calls import Answer, Call, GoTo, Page

MAX_CHARS = 200


async def listed(call: Call) -> Answer:
    """The known projects, as choices of the field."""
    return Page("projects.html", {"projects": await call.memory.distinct("project")})


async def choose(call: Call) -> Answer:
    """Show another project from now on."""
    call.session.project = tidy_name(call.form.get("project", ""))[:MAX_CHARS] or ANY_PROJECT
    return GoTo("/ui")
