"""The lines of the interchange form, and what can be asked of a whole memory by lines."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_memory.domain import limits
from mcp_memory.domain.episode import OutcomeKind, TaskType
from mcp_memory.domain.requests.base import Many, One, Request
from mcp_memory.domain.requests.context import OUTCOME_WORDS, ContextFields
from mcp_memory.domain.requests.kinds import Choice, Name, Object, Text, Texts
from mcp_memory.domain.requests.numbers import Whole
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
