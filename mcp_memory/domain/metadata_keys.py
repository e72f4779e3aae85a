"""Keys of an episode's metadata that the memory itself writes or reads."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` itself takes longer to import than a hook may take
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

WORKING_DIR = "working_dir"  # the folder the agent worked in: files below it are told relative to it
OUTCOME_INFERRED = "outcome_inferred"  # nobody said how it ended: what the outcome was inferred from
OUTCOME_BEFORE = "outcome_before"  # what was taken for its outcome before a person or an agent said otherwise
SESSION_ID = "session_id"  # the host's session the episode is a turn of
RECORDED_BY = "recorded_by"  # who logged it, where the agent did not do so itself
HOOK = "hook"  # by lifecycle hooks, while it ran
NOTE_FROM = "note_from"  # the memory that it was a note of: it is no attempt, and how it went counts nowhere
LESSON_FOR_AGENTS = "lesson_for_agents"  # what a person put into an AGENTS.md because of the episode: {text, at_ms}


def session_of(metadata: Mapping[str, Any]) -> str:
    """Return the agent host's session that an episode with such metadata is of, "" where nobody said."""
    found = metadata.get(SESSION_ID)
    return found if isinstance(found, str) else ""
