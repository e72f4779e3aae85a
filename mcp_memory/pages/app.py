"""The Fork and the steps of an attempt as an MCP App: a page of one file for a host's frame, and what it shows of an attempt.

The form is that of the extension `io.modelcontextprotocol/ui`, version 2026-01-26.
"""

import base64
import hashlib
from functools import cache
from typing import TYPE_CHECKING, Any

from mcp_memory.domain.episode import EpisodeState
from mcp_memory.domain.requests import CompareAttempts, GetEpisode, MarkSteps
from mcp_memory.errors import NotFound
from mcp_memory.pages.attempt import shown_steps
from mcp_memory.pages.fork import shown_columns
from mcp_memory.pages.templating import STATIC, rendered
from mcp_memory.phrases.contrasts import certainty, contrast, lesson

if TYPE_CHECKING:
    from mcp_memory.domain.answers import EpisodeDetail
    from mcp_memory.domain.forks import Fork

STEPS = 50  # a host's frame is no page
MAX_TEXT_CHARS = 1_500  # of one step


@cache
def page() -> str:
    """Return the HTML document, which fetches nothing and runs no script but its own."""
    css = (STATIC / "pages.css").read_text("utf-8") + (STATIC / "app.css").read_text("utf-8")
    script = (STATIC / "app.js").read_text("utf-8")
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(css)}; base-uri 'none'; form-action 'none'"
    return rendered("app.html", {"css": css, "script": script, "policy": policy})


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


async def view(memory: Any, episode_id: str, step_from: int = 0) -> str:
    """Return the HTML of an attempt for the document's main part. Raises NotFound.

    Args:
        memory: The facade.
        episode_id: Of the attempt.
        step_from: The first of its steps that is shown.
    """
    found: EpisodeDetail = await memory.get_episode(GetEpisode(episode_id, detail="full", step_from=step_from, step_limit=STEPS))
    fork = await _fork(memory, found)
    return rendered(
        "app_view.html",
        {
            "episode": found.episode,
            "correction": found.correction,
            "fork": fork,
            "columns": shown_columns(fork) if fork else (),
            "found": [(contrast(c), certainty(c), lesson(c)) for c in fork.contrasts] if fork else (),
            "steps": shown_steps(found.episode, await memory.mark_steps(MarkSteps(found.episode.id))),
            "first": step_from,
            "next": found.next_step_from,
            "max_text": MAX_TEXT_CHARS,
        },
    )


async def _fork(memory: Any, found: "EpisodeDetail") -> "Fork | None":
    if found.episode.state is not EpisodeState.COMPLETED:
        return None
    try:
        fork: Fork = await memory.compare_attempts(CompareAttempts(found.episode.id))
        return fork
    except NotFound:  # completed this moment: it is not among the attempts yet
        return None
