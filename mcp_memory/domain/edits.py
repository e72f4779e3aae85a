"""Last-writer-wins edits over an immutable episode. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Episode, Json

TASK = "task"
TAG = "tag/"
METADATA = "metadata/"
LESSON = "lesson/"


def edit_fields(
    add_tags: Sequence[str],
    remove_tags: Sequence[str],
    metadata: Mapping[str, Json] | None,
    task: str | None,
    add_lessons: Sequence[str] = (),
) -> dict[str, Json]:
    """Return the edited fields and their values: a tag is 1 or 0, a metadata key's null removes it."""
    fields: dict[str, Json] = {TAG + tag: 1 for tag in add_tags}
    fields |= {TAG + tag: 0 for tag in remove_tags}
    fields |= {METADATA + key: value for key, value in (metadata or {}).items()}
    fields |= {LESSON + text: 1 for text in add_lessons}
    if task is not None:
        fields[TASK] = task
    return fields


def apply_edits(episode: Episode, edits: Iterable[tuple[str, Json]]) -> Episode:
    """Return *episode* as its edits, in the order of their fields, make it."""
    tags, metadata, task = dict.fromkeys(episode.context.tags), dict(episode.metadata), episode.task
    lessons: list[str] = []
    for field, value in edits:
        if field == TASK:
            task = value
        elif field.startswith(TAG):
            tag = field.removeprefix(TAG)
            if value:
                tags[tag] = None
            else:
                tags.pop(tag, None)
        elif field.startswith(LESSON):
            lessons.append(field.removeprefix(LESSON))
        elif value is None:
            metadata.pop(field.removeprefix(METADATA), None)
        else:
            metadata[field.removeprefix(METADATA)] = value
    outcome = episode.outcome
    if outcome is not None and lessons:
        outcome = replace(outcome, lessons=tuple(dict.fromkeys([*outcome.lessons, *lessons])))
    return replace(episode, task=task, metadata=metadata, context=replace(episode.context, tags=tuple(tags)), outcome=outcome)
