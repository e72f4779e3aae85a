"""What every converter emits: events in order. `assemble` turns them into interchange episodes."""

import enum
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mcp_memory.domain.times import as_milliseconds
from mcp_memory.projects import Project, project_at, project_by_remote, project_named_by


class TranscriptError(ValueError):
    """A record that is not of the format it should be."""


class StillRunning(TranscriptError):
    """The last task of a session that is being worked on: left for the next import."""


class EventKind(enum.Enum):
    PROMPT = "prompt"  # what a person asked for
    CALL = "call"  # the agent called a tool
    RESULT = "result"  # what came back; a later one for the same call takes the place of the earlier
    ANSWER = "answer"  # what the agent said
    INTERRUPT = "interrupt"  # the person stopped it


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `failed` is None where the format has no flag for it."""

    kind: EventKind
    text: str = ""
    tool: str = ""
    action: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    call_id: str = ""
    failed: bool | None = None
    at_ms: int = 0
    duration_ms: int | None = None
    tokens: int | None = None
    event_id: str = ""  # the format's own id of a prompt, for a stable external id
    session_id: str = ""  # of a prompt: its session, where that is another than the file's (a copied history)
    same_as: tuple[str, ...] = ()  # of a prompt: other external ids that its episode may have


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a transcript came from, and what its file says about the whole of it."""

    external_id: str  # stable, so that a second import adds nothing
    agent: str
    project: Project | None = None
    task: str | None = None  # where the format states it apart from the conversation
    outcome: Mapping[str, Any] | None = None  # where the format states it
    metadata: Mapping[str, Any] = field(default_factory=dict)
    host: str = ""  # of an agent host's session: its turns have the external ids that the hooks give them
    session_id: str = ""
    agent_turn: str = ""  # of a subagent's run: its turn, which is one for the whole file
    parent: str = ""  # of a subagent's run: the external id of the episode that started it


def expect(kind: type, value: Any, what: str) -> Any:
    """Return *value* when it is of *kind*. Raises TranscriptError naming *what*."""
    if not isinstance(value, kind):
        raise TranscriptError(f"{what} should be {kind.__name__}, not {type(value).__name__}")
    return value


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or a list of parts of which the textual ones count."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = [part if isinstance(part, str) else _part_text(part) for part in content]
        return "\n".join(part for part in parts if part)
    return json.dumps(content, ensure_ascii=False)


def _part_text(part: Any) -> str:
    if not isinstance(part, Mapping):
        return ""
    text = part.get("text") or part.get("output_text") or part.get("input_text") or ""
    return text if isinstance(text, str) else ""


def arguments_of(value: Any) -> Mapping[str, Any]:
    """Return a call's arguments as an object; JSON text is decoded, and text that is not JSON is kept under `input`."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str):
        try:
            decoded = json.loads(value) if value.strip() else {}
        except ValueError:
            return {"input": value}
        return decoded if isinstance(decoded, Mapping) else {"input": decoded}
    return {} if value is None else {"input": value}


def at_ms(value: Any) -> int:
    """Return a timestamp, ISO 8601 or epoch seconds or milliseconds, as epoch milliseconds; 0 when there is none, or none that can be."""
    if isinstance(value, bool) or value in (None, ""):
        return 0
    if isinstance(value, int | float):
        return as_milliseconds(value)[0]
    try:
        moment = datetime.fromisoformat(str(value))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def project_of(working_dir: str, remote: str = "") -> Project | None:
    """Return the project of a session's folder: the one that hooks and servers find there.

    A folder that is gone, or was another machine's, is its own project, unless the session's record names its repository's *remote*.
    """
    if os.path.isdir(working_dir):
        return project_at(working_dir)
    return project_by_remote(remote, working_dir) or project_named_by(working_dir)


def content_id(value: Any) -> str:
    """Return a stable id of a JSON value, for formats without one."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace"), digest_size=12).hexdigest()
