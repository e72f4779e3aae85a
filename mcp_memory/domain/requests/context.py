"""What a task is about, and which episodes a question is about."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_memory.domain import limits
from mcp_memory.domain.episode import Complexity, EpisodeState, OutcomeKind, TaskType
from mcp_memory.domain.requests.base import Request
from mcp_memory.domain.requests.kinds import Choice, Id, Name, Object, Tags
from mcp_memory.domain.requests.numbers import Moment

OUTCOME_WORDS: Mapping[str, str] = {"succeeded": "success", "successful": "success", "failed": "failure", "partially": "partial"}


class Subject(Request, frozen=True, kw_only=True):
    """What a task is about, as far as it is said."""

    domain: Annotated[str, Name()] = ""
    language: Annotated[str, Name()] = ""
    framework: Annotated[str, Name()] = ""
    tags: Annotated[Sequence[str], Tags()] = ()


class ContextFields(Subject, frozen=True, kw_only=True):
    """The context of an episode."""

    complexity: Annotated[str, Choice(of=Complexity)] = Complexity.MODERATE


class TaskFields(ContextFields, frozen=True, kw_only=True):
    """What an episode is begun with, besides its task."""

    task_type: Annotated[str, Choice(of=TaskType)] = TaskType.OTHER
    project: Annotated[str, Name()] = ""
    agent: Annotated[str, Name()] = ""
    metadata: Annotated[Mapping[str, Any], Object(max_bytes=limits.MAX_METADATA_BYTES)] = {}
    parent_id: Annotated[str | None, Id()] = None


class Where(Subject, frozen=True, kw_only=True):
    """Conditions on episodes; what they mean is in `domain/filtering.py`."""

    project: Annotated[str, Name()] = ""
    task_type: Annotated[str, Choice(of=TaskType, shows_words=False)] = ""
    outcome: Annotated[str, Choice(of=OutcomeKind, also=OUTCOME_WORDS, shows_words=False)] = ""
    since: Annotated[str | int | None, Moment(about="ISO 8601 UTC; end, else start")] = None
    until: Annotated[str | int | None, Moment(about="exclusive")] = None


class WhereFields(Where, frozen=True, kw_only=True):
    """Conditions on episodes, open ones too."""

    state: Annotated[str, Choice(of=EpisodeState, shows_words=False)] = ""
