"""The lines of the interchange form, and what can be asked of a whole memory by lines."""

import enum
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_memory.domain import limits
from mcp_memory.domain.episode import OutcomeKind, TaskType
from mcp_memory.domain.feedback import RecommendationKind, Verdict
from mcp_memory.domain.requests.base import Many, One, Request
from mcp_memory.domain.requests.context import OUTCOME_WORDS, ContextFields
from mcp_memory.domain.requests.curating import LinkType
from mcp_memory.domain.requests.kinds import Choice, Flag, Name, Object, Text, Texts
from mcp_memory.domain.requests.numbers import Fraction, Whole
from mcp_memory.domain.requests.recording import OutcomeFields, StepFields

_ID = Text(max_chars=limits.MAX_ID_CHARS, may_be_empty=False)


class LineOutcome(OutcomeFields, frozen=True):
    """The `outcome` of a line."""

    kind: Annotated[str, Choice(of=OutcomeKind, also=OUTCOME_WORDS, required=True)]


class EpisodeLine(Request, frozen=True, kw_only=True):
    """One episode, as a line of the interchange form."""

    external_id: Annotated[str | None, _ID] = None
    task: Annotated[str, Text(max_chars=limits.MAX_TASK_CHARS, required=True)]
    task_type: Annotated[str, Choice(of=TaskType)] = TaskType.OTHER
    project: Annotated[str, Name()] = ""
    agent: Annotated[str, Name()] = ""
    context: Annotated[ContextFields | Mapping[str, Any] | None, One(of=ContextFields)] = None
    started_at_ms: Annotated[int | None, Whole()] = None
    ended_at_ms: Annotated[int | None, Whole()] = None
    steps: Annotated[Sequence[StepFields | Mapping[str, Any]], Many(of=StepFields, low=0, high=limits.MAX_STEPS_PER_EPISODE)] = ()
    outcome: Annotated[LineOutcome | Mapping[str, Any] | None, One(of=LineOutcome)] = None
    metadata: Annotated[Mapping[str, Any], Object(max_bytes=limits.MAX_METADATA_BYTES)] = {}
    follows: Annotated[str | None, _ID] = None
    parent: Annotated[str | None, _ID] = None
    same_as: Annotated[Sequence[str], Texts(of=_ID)] = ()  # looked for, not stored
    project_before: Annotated[Sequence[str], Texts(of=Name())] = ()  # names the project may be kept under already; not stored


class RecordKind(enum.StrEnum):
    """What a line tells that is no episode: its field `record`."""

    LINK = "link"
    CHECKPOINT = "checkpoint"
    CORRECTION = "correction"
    FEEDBACK = "feedback"


class RecordLine(Request, frozen=True, kw_only=True):
    """What every such line has. An episode is named by its external id, or by its id, within the line's project."""

    record: Annotated[str, Choice(of=RecordKind, required=True)]
    project: Annotated[str, Name()] = ""


class LinkLine(RecordLine, frozen=True, kw_only=True):
    """A link between two episodes of a project."""

    from_id: Annotated[str, _ID]
    to_id: Annotated[str, _ID]
    type: Annotated[str, Choice(of=LinkType, required=True)]
    note: Annotated[str, Text()] = ""


class CheckpointLine(RecordLine, frozen=True, kw_only=True):
    """A checkpoint of an episode."""

    record_id: Annotated[str, _ID]
    episode_id: Annotated[str, _ID]
    at_ms: Annotated[int | None, Whole()] = None
    goal: Annotated[str, Text(max_chars=limits.MAX_TASK_CHARS)] = ""
    done: Annotated[Sequence[str], Texts()] = ()
    worked: Annotated[Sequence[str], Texts()] = ()
    failed: Annotated[Sequence[str], Texts()] = ()
    facts: Annotated[Sequence[str], Texts()] = ()
    next: Annotated[Sequence[str], Texts()] = ()


class CorrectionLine(RecordLine, frozen=True, kw_only=True):
    """What stands over an episode's lessons or a pattern."""

    target_id: Annotated[str, _ID]
    text: Annotated[str, Text()] = ""
    reason: Annotated[str, Text()] = ""
    contradicts: Annotated[bool, Flag()] = False
    by: Annotated[str, Name()] = ""


class FeedbackLine(RecordLine, frozen=True, kw_only=True):
    """A vote, with what it is on."""

    record_id: Annotated[str, _ID]
    recommendation_id: Annotated[str, _ID]
    kind: Annotated[str, Choice(of=RecommendationKind, required=True)]
    shown_to: Annotated[str | None, _ID] = None
    shown_at_ms: Annotated[int | None, Whole()] = None
    shown_ids: Annotated[Sequence[str], Texts(of=_ID, max_items=limits.MAX_SEARCH_LIMIT)]
    verdict: Annotated[str, Choice(of=Verdict, required=True)]
    used_ids: Annotated[Sequence[str], Texts(of=_ID, max_items=limits.MAX_SEARCH_LIMIT)] = ()
    rating: Annotated[float | None, Fraction()] = None
    note: Annotated[str, Text()] = ""
    implicit: Annotated[bool, Flag()] = False
    episode_id: Annotated[str | None, _ID] = None
    at_ms: Annotated[int | None, Whole()] = None
