"""Last-writer-wins edits over an immutable episode. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from mcp_memory.domain.episode import Episode, Json, Outcome, OutcomeKind, Reflection, Reward
from mcp_memory.domain.facts import Said

TASK = "task"
TAG = "tag/"
METADATA = "metadata/"
LESSON = "lesson/"
OUTCOME = "outcome"  # one field with all that follows from how it ended, so that of two labels one counts whole


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


class _Label(msgspec.Struct, frozen=True, array_like=True):
    """How an episode ended after all, and what was made of that. It may gain fields at its end, with defaults."""

    kind: OutcomeKind
    summary: str
    error: str | None
    score: float
    components: dict[str, float]
    successes: tuple[Said, ...]
    improvements: tuple[Said, ...]
    insights: tuple[Said, ...]
    key_steps: tuple[int, ...]


def label_of(judged: Episode) -> Json:
    """Return the value of the field `OUTCOME` for an episode that was judged again."""
    assert judged.outcome is not None
    assert judged.reward is not None
    assert judged.reflection is not None
    outcome, reward, said = judged.outcome, judged.reward, judged.reflection
    return msgspec.to_builtins(
        _Label(
            outcome.kind, outcome.summary, outcome.error, reward.score, dict(reward.components),
            said.successes, said.improvements, said.insights, judged.key_steps,
        )
    )  # fmt: skip


def _labelled(episode: Episode, value: Json) -> Episode:
    label = msgspec.convert(value, _Label)
    outcome = replace(episode.outcome or Outcome(label.kind), kind=label.kind, summary=label.summary, error=label.error)
    reflection = Reflection(label.successes, label.improvements, label.insights)
    return replace(episode, outcome=outcome, reward=Reward(label.score, label.components), reflection=reflection, key_steps=label.key_steps)


def apply_edits(episode: Episode, edits: Iterable[tuple[str, Json]]) -> Episode:
    """Return *episode* as its edits, in the order of their fields, make it."""
    tags, metadata, task = dict.fromkeys(episode.context.tags), dict(episode.metadata), episode.task
    lessons: list[str] = []
    for field, value in edits:
        if field == TASK:
            task = value
        elif field == OUTCOME:
            episode = _labelled(episode, value)
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
