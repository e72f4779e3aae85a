"""What full-text search indexes of an episode. Pure."""

import json

from mcp_memory.domain.episode import Episode
from mcp_memory.ports import IndexText

# Characters indexed of one step and of all. What an agent did and what went wrong comes before what it was shown.
ARGUMENT_CHARS, ERROR_CHARS, OBSERVATION_CHARS = 200, 150, 300
ACTIONS_CHARS, OBSERVATIONS_CHARS, NOTES_CHARS = 6_000, 6_000, 6_000


def index_text(episode: Episode) -> IndexText:
    """Return what is searched by words of a completed episode."""
    actions = "\n".join(
        f"{s.key} {json.dumps(s.arguments, ensure_ascii=False)[:ARGUMENT_CHARS]} {_ends(s.error or '', ERROR_CHARS)}" for s in episode.steps
    )
    seen = "\n".join(_ends(s.observation, OBSERVATION_CHARS) for s in episode.steps)
    notes: list[str] = []
    if outcome := episode.outcome:
        notes = [outcome.summary, *outcome.lessons, *outcome.artifacts, *outcome.completed, *outcome.failed, outcome.error or ""]
    return IndexText(
        task=episode.task,
        steps=f"{actions[:ACTIONS_CHARS]}\n{seen[:OBSERVATIONS_CHARS]}",
        notes="\n".join(notes)[:NOTES_CHARS],
    )


def _ends(text: str, max_chars: int) -> str:
    """Return the beginning and, of a longer text, the end: a traceback says last what went wrong, an output how it ended."""
    if len(text) <= max_chars:
        return text
    tail = max_chars // 3
    return f"{text[: max_chars - tail]} {text[-tail:]}"
