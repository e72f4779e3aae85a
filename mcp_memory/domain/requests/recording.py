"""Start, log, complete."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from mcp_memory.domain import limits
from mcp_memory.domain.episode import OutcomeKind, StepStatus
from mcp_memory.domain.requests.base import Many, Request
from mcp_memory.domain.requests.context import OUTCOME_WORDS, TaskFields
from mcp_memory.domain.requests.kinds import Choice, ErrorText, Flag, Id, Name, Object, Text, Texts
from mcp_memory.domain.requests.numbers import Whole
from mcp_memory.domain.requests.step_names import named_step

STATUS_WORDS: Mapping[str, str] = {
    "success": "ok",
    "succeeded": "ok",
    "passed": "ok",
    "failed": "error",
    "failure": "error",
    "timed_out": "timeout",
}
BUDGET = Whole(low=limits.MIN_BUDGET_TOKENS, high=limits.MAX_BUDGET_TOKENS)


class StartEpisode(TaskFields, frozen=True):
    task: Annotated[str, Text(max_chars=limits.MAX_TASK_CHARS, required=True, about="In full")]
    recall: Annotated[bool, Flag()] = True
    budget_tokens: Annotated[int, BUDGET] = 800
    episode_id: Annotated[str, Name(is_listed=False)] = ""  # one that `prepare_episode` gave
    external_id: Annotated[str | None, Text(max_chars=limits.MAX_ID_CHARS, may_be_empty=False, is_listed=False)] = (
        None  # of a recorder's own
    )


class PrepareEpisode(TaskFields, frozen=True):
    task: Annotated[str, Text(max_chars=limits.MAX_TASK_CHARS, required=True)]
    budget_tokens: Annotated[int, BUDGET] = 800


class StepDetails(Request, frozen=True, kw_only=True):
    """What is said of a step besides its tool, which comes by place."""

    action: Annotated[str, Name(about="what you did, in words")] = ""
    arguments: Annotated[Mapping[str, Any], Object(max_bytes=limits.MAX_ARGUMENTS_BYTES, takes_text=True)] = {}
    observation: Annotated[str, Text(max_chars=limits.MAX_OBSERVATION_CHARS, any_json=True)] = ""
    status: Annotated[str, Choice(of=StepStatus, also=STATUS_WORDS)] = ""  # "": an error text means error, else ok
    error: Annotated[str | None, ErrorText()] = None
    duration_ms: Annotated[int | None, Whole(rounds=True)] = None
    tokens: Annotated[int | None, Whole()] = None
    at_ms: Annotated[int | None, Whole(is_listed=False)] = None  # of a step that was taken earlier


class StepFields(StepDetails, frozen=True):
    """One action and what came back."""

    tool: Annotated[str, Name(required=True)]


class LogStep(StepDetails, frozen=True):
    episode_id: Annotated[str, Id(required=True)]
    tool: Annotated[str, Name(required=True)]


class LogSteps(Request, frozen=True):
    episode_id: Annotated[str, Id(required=True)]
    steps: Annotated[Sequence[StepFields | Mapping[str, Any]], Many(of=StepFields, high=limits.MAX_STEPS_PER_CALL, named=named_step)]


class OutcomeFields(Request, frozen=True, kw_only=True):
    """What became of a task, in words."""

    summary: Annotated[str, Text()] = ""
    lessons: Annotated[Sequence[str], Texts(about="For a later attempt")] = ()
    artifacts: Annotated[Sequence[str], Texts()] = ()
    completed: Annotated[Sequence[str], Texts()] = ()
    failed: Annotated[Sequence[str], Texts()] = ()
    error: Annotated[str | None, ErrorText()] = None


_IDS = Texts(of=Id(required=True))


class CompleteEpisode(OutcomeFields, frozen=True):
    episode_id: Annotated[str, Id()] = ""
    outcome: Annotated[str, Choice(of=OutcomeKind, also=OUTCOME_WORDS, required=True)] = ""
    task: Annotated[str, Text(max_chars=limits.MAX_TASK_CHARS, about="if none started")] = ""
    project: Annotated[str, Name()] = ""  # of the task
    steps: Annotated[
        Sequence[StepFields | Mapping[str, Any]],
        Many(of=StepFields, low=0, high=limits.MAX_STEPS_PER_CALL, shows_fields=False, named=named_step),
    ] = ()
    helped: Annotated[Sequence[str], _IDS] = ()  # ids of recalled episodes and patterns
    hindered: Annotated[Sequence[str], _IDS] = ()
