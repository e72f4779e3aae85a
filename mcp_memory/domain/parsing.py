"""Raw values to domain objects, with every limit checked once, here. Raises InvalidInput naming the field, the problem and the limit."""

import enum
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from mcp_memory.domain import limits
from mcp_memory.domain.commands import command_in, program_of
from mcp_memory.domain.episode import Complexity, Context, Episode, EpisodeState, Json, Outcome, OutcomeKind, Step, StepStatus, TaskType
from mcp_memory.domain.query import ANY_PROJECT, Filter
from mcp_memory.domain.text import one_line
from mcp_memory.errors import InvalidInput

E = TypeVar("E", bound=enum.StrEnum)


def text(name: str, value: Any, max_chars: int, *, required: bool = False) -> str:
    """Return *value* as a string; None is "". NUL and lone surrogates are refused: SQLite and JSON readers disagree about them."""
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise InvalidInput(f"`{name}` must be a string, not {type(value).__name__}")
    if len(value) > max_chars:
        raise InvalidInput(f"`{name}` has {len(value):,} characters; the limit is {max_chars:,}", hint=f"Shorten `{name}` and call again.")
    if required and not value.strip():
        raise InvalidInput(f"`{name}` must not be empty")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value if c > "\u07ff"):
        raise InvalidInput(f"`{name}` contains a NUL or an unpaired surrogate character")
    return value


def choice(kind: type[E], name: str, value: Any) -> E:
    """Return the member of *kind* that *value* names."""
    try:
        return kind(value)
    except ValueError:
        raise InvalidInput(f"`{name}` must be one of {', '.join(kind)}, not {str(value)[:60]!r}") from None


def texts(name: str, value: Any, max_items: int = limits.MAX_LIST_ITEMS, max_chars: int = limits.MAX_LIST_ITEM_CHARS) -> tuple[str, ...]:
    """Return *value*, a list of strings, as a tuple; None is empty."""
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise InvalidInput(f"`{name}` must be a list of strings")
    if len(value) > max_items:
        raise InvalidInput(f"`{name}` has {len(value)} items; the limit is {max_items}")
    return tuple(text(f"{name}[{i}]", item, max_chars, required=True) for i, item in enumerate(value))


def tags(value: Any, name: str = "tags") -> tuple[str, ...]:
    """Return distinct tags in their first order."""
    return tuple(dict.fromkeys(filter(None, map(one_line, texts(name, value, limits.MAX_TAGS, limits.MAX_TAG_CHARS)))))


def json_object(name: str, value: Any, max_bytes: int) -> Mapping[str, Json]:
    """Return *value*, a JSON object within *max_bytes* when encoded; None is empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"`{name}` must be an object, not {type(value).__name__}")
    try:
        size_bytes = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"`{name}` is not plain JSON: {error}") from None
    if size_bytes > max_bytes:
        raise InvalidInput(f"`{name}` has {size_bytes:,} bytes as JSON; the limit is {max_bytes:,}")
    level: list[Any] = [value]
    for _ in range(limits.MAX_JSON_DEPTH):
        level = [x for v in level if isinstance(v, Mapping | list) for x in (v.values() if isinstance(v, Mapping) else v)]
        if not level:
            return value
    raise InvalidInput(f"`{name}` is nested deeper than {limits.MAX_JSON_DEPTH} levels")


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return *value*, an integer in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
        raise InvalidInput(f"`{name}` must be a whole number")
    if not low <= value <= high:
        raise InvalidInput(f"`{name}` must be between {low} and {high}, not {int(value)}")
    return int(value)


def optional_whole(name: str, value: Any) -> int | None:
    """Return *value*, an integer of at least 0, or None."""
    return None if value is None else whole(name, value, 0, limits.MAX_INT)


def fraction(name: str, value: Any) -> float:
    """Return *value*, a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInput(f"`{name}` must be a number between 0 and 1")
    return float(value)


def time_ms(name: str, value: Any) -> int | None:
    """Return epoch milliseconds from an ISO 8601 string (UTC where it names no zone) or from milliseconds; None and "" are None."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value.strip())
        except ValueError:
            raise InvalidInput(f"`{name}` must be an ISO 8601 time such as 2026-01-31 or 2026-01-31T12:00:00Z") from None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return whole(name, value, 0, limits.MAX_INT)


def name(field: str, value: Any, *, required: bool = False) -> str:
    """Return a short name (tool, domain, project …) on one line, without characters that nobody sees."""
    found = one_line(text(field, value, limits.MAX_NAME_CHARS))
    if required and not found:
        raise InvalidInput(f"`{field}` must not be empty")
    return found


def identifier(field: str, value: Any) -> str:
    """Return an id as given."""
    return text(field, value, limits.MAX_ID_CHARS, required=True)


def project(value: Any, default: str, *, any_allowed: bool = False) -> str:
    """Return the namespace; *default* where none is given. `*` (all projects) only where it makes sense."""
    found = name("project", value) or default
    if found == ANY_PROJECT and not any_allowed:
        raise InvalidInput("`project` cannot be `*` here", hint="Name one project, or leave it out.")
    return found


def context(raw: Mapping[str, Any]) -> Context:
    """Return the context fields of *raw*: domain, language, framework, complexity, tags."""
    return Context(
        domain=name("domain", raw.get("domain")),
        language=name("language", raw.get("language")),
        framework=name("framework", raw.get("framework")),
        complexity=choice(Complexity, "complexity", raw.get("complexity") or Complexity.MODERATE),
        tags=tags(raw.get("tags")),
    )


def episode(episode_id: str, raw: Mapping[str, Any], *, default_project: str, now_ms: int) -> Episode:
    """Return a new open episode from the arguments of `start_episode`."""
    return Episode(
        id=episode_id,
        project=project(raw.get("project"), default_project),
        task=text("task", raw.get("task"), limits.MAX_TASK_CHARS, required=True),
        task_type=choice(TaskType, "task_type", raw.get("task_type") or TaskType.OTHER),
        context=context(raw),
        agent=name("agent", raw.get("agent")),
        started_at_ms=now_ms,
        metadata=json_object("metadata", raw.get("metadata"), limits.MAX_METADATA_BYTES),
        parent_id=identifier("parent_id", raw["parent_id"]) if raw.get("parent_id") else None,
    )


def step(raw: Mapping[str, Any], *, now_ms: int, prefix: str = "") -> Step:
    """Return a step from the arguments of `log_step`; *prefix* (`steps[3].`) goes in front of field names in messages.

    Without an action, the program of a shell command is one: to learn from, `bash:pytest` and `bash:ls` must be two things. Without a
    status, a step with an error text failed.
    """
    tool = name(prefix + "tool", raw.get("tool"), required=True)
    error = raw.get("error")
    arguments = json_object(prefix + "arguments", raw.get("arguments"), limits.MAX_ARGUMENTS_BYTES)
    return Step(
        tool=tool,
        action=name(prefix + "action", raw.get("action")) or program_of(command_in(arguments)) or tool,
        arguments=arguments,
        observation=text(prefix + "observation", raw.get("observation"), limits.MAX_OBSERVATION_CHARS),
        status=choice(StepStatus, prefix + "status", raw.get("status") or (StepStatus.ERROR if error else StepStatus.OK)),
        error=None if error is None else text(prefix + "error", error, limits.MAX_ERROR_CHARS),
        duration_ms=optional_whole(prefix + "duration_ms", raw.get("duration_ms")),
        tokens=optional_whole(prefix + "tokens", raw.get("tokens")),
        at_ms=now_ms if raw.get("at_ms") is None else whole(prefix + "at_ms", raw["at_ms"], 0, limits.MAX_INT),
    )


def outcome(raw: Mapping[str, Any], *, kind_field: str = "outcome") -> Outcome:
    """Return an outcome from the arguments of `complete_episode`."""
    error = raw.get("error")
    return Outcome(
        kind=choice(OutcomeKind, kind_field, raw.get(kind_field)),
        summary=text("summary", raw.get("summary"), limits.MAX_NOTE_CHARS),
        lessons=texts("lessons", raw.get("lessons")),
        artifacts=texts("artifacts", raw.get("artifacts")),
        completed=texts("completed", raw.get("completed")),
        failed=texts("failed", raw.get("failed")),
        error=None if error is None else text("error", error, limits.MAX_ERROR_CHARS),
    )


def where(raw: Mapping[str, Any], *, default_project: str) -> Filter:
    """Return the filter fields of a query's arguments."""
    since_ms, until_ms = time_ms("since", raw.get("since")), time_ms("until", raw.get("until"))
    if since_ms is not None and until_ms is not None and since_ms >= until_ms:
        raise InvalidInput("`since` must be before `until`")
    return Filter(
        project=project(raw.get("project"), default_project, any_allowed=True),
        domain=name("domain", raw.get("domain")),
        task_type=choice(TaskType, "task_type", raw["task_type"]) if raw.get("task_type") else "",
        language=name("language", raw.get("language")),
        framework=name("framework", raw.get("framework")),
        tags=tags(raw.get("tags")),
        outcome=choice(OutcomeKind, "outcome", raw["outcome"]) if raw.get("outcome") else "",
        state=choice(EpisodeState, "state", raw["state"]) if raw.get("state") else "",
        since_ms=since_ms,
        until_ms=until_ms,
    )
