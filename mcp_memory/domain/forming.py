"""From checked requests to the nouns of the domain. Pure; the defaults that depend on other fields are here."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from operator import attrgetter
from typing import Any

from mcp_memory.domain.command_failures import command_failed, raised_last, timed_out
from mcp_memory.domain.commands import command_in, program_of
from mcp_memory.domain.episode import Complexity, Context, Episode, EpisodeState, Outcome, OutcomeKind, Step, StepStatus, TaskType
from mcp_memory.domain.query import ANY_PROJECT, Filter
from mcp_memory.domain.requests.advising import IntendedStep
from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.domain.requests.context import ContextFields, TaskFields
from mcp_memory.domain.requests.exchange import EpisodeLine, LineOutcome
from mcp_memory.domain.requests.recording import OutcomeFields, StepDetails, StepFields
from mcp_memory.domain.step_keys import is_shell, step_key
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.told_failures import failure_told
from mcp_memory.errors import InvalidInput


def project_of(given: str, default: str, *, any_allowed: bool = False) -> str:
    """Return the namespace; *default* where none is given. `*` (all projects) only where it makes sense."""
    found = given or default
    if found == ANY_PROJECT and not any_allowed:
        raise InvalidInput("`project` cannot be `*` here", hint="Name one project, or leave it out.")
    return found


def filter_of(asked: Request, *, default_project: str) -> Filter:
    """Return the conditions among the fields of *asked*. Raises InvalidInput when `since` is not before `until`."""
    since_ms, until_ms = getattr(asked, "since", None), getattr(asked, "until", None)
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise InvalidInput("`since` must be before `until`")
    return Filter(
        project=project_of(getattr(asked, "project", ""), default_project, any_allowed=True),
        domain=getattr(asked, "domain", ""),
        task_type=getattr(asked, "task_type", ""),
        language=getattr(asked, "language", ""),
        framework=getattr(asked, "framework", ""),
        tags=tuple(getattr(asked, "tags", ())),
        outcome=getattr(asked, "outcome", ""),
        state=getattr(asked, "state", ""),
        since_ms=since_ms,
        until_ms=until_ms,
    )


def context_of(asked: ContextFields) -> Context:
    """Return what a task is about."""
    return Context(
        domain=asked.domain,
        language=asked.language,
        framework=asked.framework,
        complexity=Complexity(asked.complexity),
        tags=tuple(asked.tags),
    )


def episode_of(asked: TaskFields, task: str, *, episode_id: str, default_project: str, now_ms: int) -> Episode:
    """Return a new open episode."""
    return Episode(
        id=episode_id,
        project=project_of(asked.project, default_project),
        task=task,
        task_type=TaskType(asked.task_type),
        context=context_of(asked),
        agent=asked.agent,
        started_at_ms=now_ms,
        metadata=asked.metadata,
        parent_id=asked.parent_id,
        external_id=getattr(asked, "external_id", None),
    )


def step_of(asked: StepDetails | IntendedStep | Mapping[str, Any], *, now_ms: int) -> Step:
    """Return a step.

    Without an action, the program of a shell command is one: to learn from, `bash:pytest` and `bash:ls` must be two things. Without a
    status, a step with an error text failed, and so did one whose answer is nothing but an error, or whose command says that it failed.
    """
    assert isinstance(asked, Request), "a checked request holds records"
    names, values_of = _step_fields(IntendedStep if isinstance(asked, IntendedStep) else StepFields)
    given: dict[str, Any] = dict(zip(names, values_of(asked), strict=True))
    given["action"] = asked.action or program_of(command_in(asked.arguments)) or given["tool"]
    if not given.get("status") and not given.get("error"):
        given["error"] = _error_told(given) or given.get("error")
        given["status"] = None if given["error"] else _says_failed(given)
    given["status"] = StepStatus(given.get("status") or (StepStatus.ERROR if given.get("error") else StepStatus.OK))
    given["at_ms"] = now_ms if given.get("at_ms") is None else given["at_ms"]
    return Step(**given)


def _error_told(given: Mapping[str, Any]) -> str:
    """Return what the answer of a step says went wrong, "" where it does not; what a look shows may be somebody's log."""
    told, tool = failure_told(given.get("observation") or ""), given["tool"]
    is_text = bool(told) and not given["observation"].lstrip().startswith("{")
    shown = is_text and role_of(step_key(tool, given["action"], given["arguments"])) is Role.LOOKS
    return "" if shown and (is_shell(tool) or "\n" in told) else told


def _says_failed(given: Mapping[str, Any]) -> StepStatus | None:
    """Return how a step ended as its output shows, None where it does not show that it failed."""
    output, command = given.get("observation") or "", command_in(given["arguments"])
    if not output:
        return None
    if timed_out(output):
        return StepStatus.TIMEOUT
    looks = role_of(step_key(given["tool"], given["action"], given["arguments"])) is Role.LOOKS
    failed = command_failed(command, output, looks=looks) if command else not looks and raised_last(output)
    return StepStatus.ERROR if failed else None


@cache
def _step_fields(record: type[Request]) -> tuple[tuple[str, ...], Callable[[Request], tuple[Any, ...]]]:
    """Return the names of a step's fields, and what reads them of a request at once."""
    names = tuple(fields_of(record))
    return names, attrgetter(*names)


def outcome_of(kind: str, asked: OutcomeFields) -> Outcome:
    """Return what became of a task."""
    return Outcome(OutcomeKind(kind), **{name: getattr(asked, name) for name in fields_of(OutcomeFields)})


def episode_of_line(asked: EpisodeLine, *, episode_id: str, default_project: str, now_ms: int) -> Episode:
    """Return the episode that a line of the interchange form tells of: open where it has no outcome."""
    context = asked.context if isinstance(asked.context, ContextFields) else ContextFields()
    started_at_ms = asked.started_at_ms or now_ms
    steps = tuple(replace(step_of(s, now_ms=started_at_ms), index=i) for i, s in enumerate(asked.steps))
    episode = Episode(
        id=episode_id,
        project=project_of(asked.project, default_project),
        task=asked.task,
        task_type=TaskType(asked.task_type),
        context=context_of(context),
        agent=asked.agent,
        started_at_ms=started_at_ms,
        steps=steps,
        step_count=len(steps),
        metadata=asked.metadata,
        external_id=asked.external_id,
        follows=asked.follows,
        parent_id=asked.parent,
    )
    if not isinstance(asked.outcome, LineOutcome):
        return episode
    ended_at_ms = asked.ended_at_ms or max(started_at_ms, *(s.at_ms for s in steps), 0)
    outcome = outcome_of(asked.outcome.kind, asked.outcome)
    return replace(episode, outcome=outcome, state=EpisodeState.COMPLETED, ended_at_ms=max(ended_at_ms, started_at_ms))
