"""A note of another memory as an episode: what it says is the task, by which it is found, and the lessons, which are told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcp_memory.cli.transcripts.record import content_id
from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip
from mcp_memory.domain.metadata_keys import NOTE_FROM, OUTCOME_INFERRED

Episode = dict[str, Any]
NO_ATTEMPT = "it is a note, no attempt"
SAID_BY_TASK_CHARS = 160  # a text of one line and no more needs no lessons: the line that names an episode says it
_ID_CHARS = 120  # of the note's own name in an external id


def notes(
    memory: str,
    name: str,
    text: str,
    *,
    facts: Sequence[str] = (),
    tags: Sequence[str] = (),
    begun_ms: int = 0,
    ended_ms: int = 0,
    metadata: Mapping[str, Any] | None = None,
) -> Iterator[Episode]:
    """Yield one note as an interchange line; as several where it has more facts than an episode has lessons.

    A note is known by its name and what it says: the same one is never added twice, one that was changed since is another.

    Args:
        memory: The memory it is from; it becomes the agent, so that everything of it can be quarantined.
        name: What that memory knows it by.
        text: All that it says.
        facts: What it says, one by one; the paragraphs of *text* where nothing else tells them apart.
        tags: Labels.
        begun_ms: When it was made, 0 where nobody knows.
        ended_ms: When it was last changed.
        metadata: What else is known of it; left out where it is too large to keep.
    """
    text = text.strip()
    told = [fact.strip() for fact in facts or text.split("\n\n") if fact.strip()]
    if told == [text] and len(text) <= SAID_BY_TASK_CHARS and "\n" not in text:
        told = []
    for start in range(0, max(len(told), 1), limits.MAX_LIST_ITEMS):
        part = told[start : start + limits.MAX_LIST_ITEMS]
        episode: Episode = {
            "external_id": f"{memory}/{clip(name, _ID_CHARS)}/{content_id([name, text, part])}",
            "task": clip(text, limits.MAX_TASK_CHARS),
            "agent": memory,
            "context": {"tags": [clip(tag, limits.MAX_TAG_CHARS) for tag in tags if tag][: limits.MAX_TAGS]},
            "outcome": {
                "kind": "partial",
                "summary": f"A note from {memory}, no attempt.",
                "lessons": [clip(fact, limits.MAX_LIST_ITEM_CHARS) for fact in part],
            },
            "metadata": {NOTE_FROM: memory, OUTCOME_INFERRED: NO_ATTEMPT} | _kept(metadata or {}),
        }
        times = {"started_at_ms": begun_ms, "ended_at_ms": max(begun_ms, ended_ms)}
        yield episode | {key: value for key, value in times.items() if value}


def _kept(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a note's metadata has a value and is short."""
    return {
        str(key): value for key, value in metadata.items() if value not in (None, "", [], {}) and len(str(value)) <= limits.MAX_NAME_CHARS
    }
