"""An episode being put together: its steps in the order of their calls, and what else happened that says how it went."""

import json
import re
from collections.abc import Mapping
from typing import Any

from mcp_memory.cli.transcripts.record import Event, EventKind
from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip
from mcp_memory.domain.inference import COMMAND_ARGUMENTS, looks_failed
from mcp_memory.domain.own_tools import is_work, own_tool

_ERROR_CHARS = 2_000  # of an observation that is repeated as the step's error
_FULL_CHARS = 20_000_000  # of all observations together; from there on each is clipped
_CLIPPED_CHARS = 2_000
_OUTCOMES = ("success", "partial", "failure", "abstained")
_EPISODE_ID = re.compile(r'\\*"episode_id\\*"\s*:\s*\\*"([0-9a-f-]{36})')
_LOGS = ("start_episode", "resume_episode", "log_step", "log_steps", "complete_episode")
NO_RESULT = "No result is recorded: the session ended or was stopped during this call."


class Draft:
    """What happened since a prompt."""

    def __init__(self, prompt: Event, external_id: str) -> None:
        self.prompt, self.external_id = prompt, external_id
        self.steps: list[dict[str, Any]] = []
        self.answer = ""
        self.ended_at_ms = 0
        self.stated: dict[str, Any] | None = None  # the outcome the agent itself told the memory
        self.own_episodes: list[str] = []  # of the memory, which the agent itself began or logged this work in
        self._calls: dict[str, int] = {}  # the step of a call, by call id
        self._waiting: dict[str, None] = {}  # calls without a result
        self._own: dict[str, Event] = {}  # calls of the memory's own tools without a result
        self._chars = 0
        self._heard: tuple[int, str] = (-1, "")  # (steps before, words) of the prompt that came last
        self._stopped_at = -1  # steps before the person stopped it
        self._last = EventKind.PROMPT

    @property
    def is_unfinished(self) -> bool:
        """Whether the record ends before the agent had answered."""
        return bool(self._waiting) or self._last in (EventKind.CALL, EventKind.RESULT)

    @property
    def was_interrupted(self) -> bool:
        """Whether the person stopped it and nothing was done afterwards."""
        return self._stopped_at == len(self.steps)

    @property
    def last_words(self) -> str:
        """What the person wrote after all steps, within this turn."""
        return self._heard[1] if self._heard[0] == len(self.steps) else ""

    def hear(self, prompt: Event) -> None:
        """Note a prompt that begins no turn of its own."""
        self._heard = (len(self.steps), prompt.text)

    def add(self, event: Event) -> None:
        """Add what happened next."""
        self.ended_at_ms = max(self.ended_at_ms, event.at_ms)
        if event.kind is EventKind.ANSWER and event.text.strip():
            self.answer, self._last = event.text, event.kind
        elif event.kind is EventKind.INTERRUPT:
            self._stopped_at, self._last = len(self.steps), event.kind
        elif event.kind is EventKind.CALL and not is_work(event.tool):
            self._own[event.call_id] = event
        elif event.kind is EventKind.CALL:
            self._last = event.kind
            self._calls[event.call_id] = len(self.steps)
            self._waiting[event.call_id] = None
            self.steps.append(self._step(event))
        elif event.kind is EventKind.RESULT and event.call_id in self._own:
            self._hear_memory(self._own[event.call_id], event)
        elif event.kind is EventKind.RESULT and event.call_id in self._calls:
            self._last = event.kind
            self._waiting.pop(event.call_id, None)
            self._set_result(self._calls[event.call_id], event)

    def close(self, *, says_results: bool) -> None:
        """Mark calls without a result as failed, in a format that records all results."""
        for call_id in self._waiting if says_results else ():
            step = self.steps[self._calls[call_id]]
            step["status"], step["error"] = "error", NO_RESULT

    def _step(self, event: Event) -> dict[str, Any]:
        return {
            "tool": clip(event.tool or "unknown", limits.MAX_NAME_CHARS),
            "action": clip(event.action, limits.MAX_NAME_CHARS),
            "arguments": self._arguments(event.arguments),
            "observation": "",
            "status": "ok",
            "error": None,
            "duration_ms": event.duration_ms,
            "tokens": event.tokens,
            "at_ms": event.at_ms,
        }

    def _arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if len(self.steps) >= limits.MAX_STEPS_PER_EPISODE:  # will be left out: what it takes to judge the outcome is kept
            return {name: clip(str(value), _ERROR_CHARS) for name, value in given.items() if name in COMMAND_ARGUMENTS}
        written = json.dumps(given, ensure_ascii=False, default=str)
        encoded = written.encode("utf-8", "replace")
        if len(encoded) > limits.MAX_ARGUMENTS_BYTES:
            return {"left_out": f"arguments of {len(encoded):,} bytes, over the limit of {limits.MAX_ARGUMENTS_BYTES:,}"}
        if (
            "\\u0000" in written or encoded.decode("utf-8") != written
        ):  # a NUL or half a surrogate, where a host cut a text: no store takes them
            arguments: dict[str, Any] = json.loads(encoded.replace(b"\\u0000", b""))
            return arguments
        return dict(given)

    def _set_result(self, index: int, event: Event) -> None:
        step, left_out = self.steps[index], index >= limits.MAX_STEPS_PER_EPISODE
        is_full = left_out or self._chars > _FULL_CHARS
        step["observation"] = clip(event.text, _CLIPPED_CHARS if is_full else limits.MAX_OBSERVATION_CHARS)
        self._chars += 0 if left_out else len(step["observation"])
        failed = looks_failed(event.text) if event.failed is None else event.failed
        step["status"] = "error" if failed else "ok"
        step["error"] = clip(event.text.strip(), _ERROR_CHARS) or "failed without a word" if failed else None
        if event.duration_ms is not None:
            step["duration_ms"] = event.duration_ms
        elif event.at_ms >= step["at_ms"] > 0:
            step["duration_ms"] = event.at_ms - step["at_ms"]

    def _hear_memory(self, call: Event, result: Event) -> None:
        """Note what the agent itself told the memory: its record is of the same work."""
        found = _EPISODE_ID.search(result.text)
        if result.failed or found is None or own_tool(call.tool) not in _LOGS:
            return
        if found[1] not in self.own_episodes:
            self.own_episodes.append(found[1])
        kind = call.arguments.get("outcome")
        if own_tool(call.tool) == "complete_episode" and kind in _OUTCOMES:
            lessons = call.arguments.get("lessons")
            kept = (
                [clip(text, limits.MAX_LIST_ITEM_CHARS) for text in lessons if isinstance(text, str)] if isinstance(lessons, list) else []
            )
            summary = call.arguments.get("summary")
            self.stated = {
                "kind": kind,
                "summary": clip(summary, limits.MAX_NOTE_CHARS) if isinstance(summary, str) else "",
                "lessons": kept[: limits.MAX_LIST_ITEMS],
            }
