"""Events to interchange episodes: one per prompt that led to a tool call, in order, each following the one before."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mcp_memory.cli.transcripts.record import Event, EventKind, Origin
from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip, goes_on
from mcp_memory.domain.inference import infer_outcome, looks_failed

_COMMANDS = ("command", "cmd", "input")  # arguments that say what a step checked
_ERROR_CHARS = 2_000  # of an observation that is repeated as the step's error


@dataclass(slots=True)
class Draft:
    """An episode being put together."""

    event: Event
    steps: list[dict[str, Any]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)  # steps without a result yet, by call id
    answer: str = ""
    ended_at_ms: int = 0


def assemble(events: Iterable[Event], origin: Origin, *, split: bool) -> Iterator[dict[str, Any]]:
    """Yield episodes. With *split* every longer prompt begins one; without, the whole transcript is one."""
    draft: Draft | None = None
    number, previous = 0, None
    for event in events:
        if event.kind is EventKind.PROMPT and (draft is None or (split and not goes_on(event.text))):
            if draft is not None and draft.steps:
                yield (episode := _finish(draft, origin, number, previous))
                number, previous = number + 1, episode["external_id"]
            draft = Draft(event)
        elif draft is not None:
            _add(draft, event)
    if draft is not None and draft.steps:
        yield _finish(draft, origin, number, previous)


def _add(draft: Draft, event: Event) -> None:
    draft.ended_at_ms = max(draft.ended_at_ms, event.at_ms)
    if event.kind is EventKind.ANSWER and event.text.strip():
        draft.answer = event.text
    elif event.kind is EventKind.CALL:
        step = _step(event)
        if len(draft.steps) >= limits.MAX_STEPS_PER_EPISODE:  # will be left out: what it takes to judge the outcome is kept
            step["arguments"] = {name: clip(str(value), _ERROR_CHARS) for name, value in step["arguments"].items() if name in _COMMANDS}
        draft.waiting[event.call_id] = len(draft.steps)
        draft.steps.append(step)
    elif event.kind is EventKind.RESULT and event.call_id in draft.waiting:
        index = draft.waiting.pop(event.call_id)
        _set_result(draft.steps[index], event)
        if index >= limits.MAX_STEPS_PER_EPISODE:
            draft.steps[index]["observation"] = ""


def _step(event: Event) -> dict[str, Any]:
    arguments = dict(event.arguments)
    size_bytes = len(json.dumps(arguments, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    if size_bytes > limits.MAX_ARGUMENTS_BYTES:
        arguments = {"left_out": f"arguments of {size_bytes:,} bytes, over the limit of {limits.MAX_ARGUMENTS_BYTES:,}"}
    name = clip(event.tool or "unknown", limits.MAX_NAME_CHARS)
    return {
        "tool": name,
        "action": clip(event.action, limits.MAX_NAME_CHARS),
        "arguments": arguments,
        "observation": "",
        "status": "ok",
        "error": None,
        "duration_ms": event.duration_ms,
        "tokens": event.tokens,
        "at_ms": event.at_ms,
    }


def _set_result(step: dict[str, Any], event: Event) -> None:
    step["observation"] = clip(event.text, limits.MAX_OBSERVATION_CHARS)
    if looks_failed(event.text) if event.failed is None else event.failed:
        step["status"] = "error"
        step["error"] = clip(event.text, _ERROR_CHARS)
    if event.duration_ms is not None:
        step["duration_ms"] = event.duration_ms
    elif event.at_ms >= step["at_ms"] > 0:
        step["duration_ms"] = event.at_ms - step["at_ms"]


def _finish(draft: Draft, origin: Origin, number: int, previous: str | None) -> dict[str, Any]:
    metadata = dict(origin.metadata)
    summary = clip(draft.answer.strip(), limits.MAX_NOTE_CHARS)
    outcome = dict(origin.outcome) if origin.outcome else None
    if outcome is None:
        outcome, reason = infer_outcome(draft.steps, summary)
        if reason:
            metadata["outcome_inferred"] = reason
    elif not outcome.get("summary"):
        outcome["summary"] = summary
    steps = draft.steps[: limits.MAX_STEPS_PER_EPISODE]
    if len(steps) < len(draft.steps):
        metadata["steps_left_out"] = len(draft.steps) - len(steps)
    episode = {
        "external_id": clip(f"{origin.external_id}/{draft.event.event_id or number}", limits.MAX_ID_CHARS),
        "task": clip(origin.task or draft.event.text, limits.MAX_TASK_CHARS),
        "agent": origin.agent,
        "started_at_ms": draft.event.at_ms or (steps[0]["at_ms"] if steps else 0),
        "steps": steps,
        "outcome": outcome,
        "metadata": metadata,
    }
    return episode | {
        key: value
        for key, value in (("project", origin.project), ("follows", previous), ("ended_at_ms", draft.ended_at_ms if outcome else None))
        if value
    }
