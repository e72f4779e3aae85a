"""Suggest, recommend, take feedback."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_memory.domain import limits
from mcp_memory.domain.episode import TaskType
from mcp_memory.domain.feedback import Told
from mcp_memory.domain.requests.base import One, Request
from mcp_memory.domain.requests.context import Subject
from mcp_memory.domain.requests.kinds import Choice, Id, Name, Object, Text, Texts
from mcp_memory.domain.requests.numbers import Fraction, Whole


class IntendedStep(Request, frozen=True, kw_only=True):
    """A step that is about to be taken."""

    tool: Annotated[str, Name(required=True)]
    action: Annotated[str, Name()] = ""
    arguments: Annotated[Mapping[str, Any], Object(max_bytes=limits.MAX_ARGUMENTS_BYTES, takes_text=True)] = {}


class SuggestNextStep(Request, frozen=True):
    episode_id: Annotated[str, Id(required=True)]
    limit: Annotated[int, Whole(low=1, high=limits.MAX_SUGGESTIONS)] = 3
    intended: Annotated[IntendedStep | Mapping[str, Any] | None, One(of=IntendedStep)] = None


class RecommendPlaybook(Subject, frozen=True):
    task: Annotated[str, Text(max_chars=limits.MAX_TASK_CHARS, required=True)]
    task_type: Annotated[str, Choice(of=TaskType, shows_words=False)] = ""
    project: Annotated[str, Name()] = ""
    max_steps: Annotated[int, Whole(low=1, high=limits.MAX_PLAYBOOK_STEPS)] = 8


class GiveFeedback(Request, frozen=True):
    recommendation_id: Annotated[str | None, Id()] = None
    outcome: Annotated[str, Choice(of=Told, required=True)] = ""
    used_ids: Annotated[Sequence[str], Texts(of=Id(required=True))] = ()
    rating: Annotated[float | None, Fraction(about="0..1")] = None
    note: Annotated[str, Text(about="the right way")] = ""
    episode_id: Annotated[str | None, Id()] = None
