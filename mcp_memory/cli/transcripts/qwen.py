"""Qwen Code's chats: ~/.qwen/projects/FOLDER/chats/SESSION.jsonl, lines much like Claude Code's with Gemini's parts.

A `tool_result` line has the call's status and, for a shell, its exit code and bare output; how long a call took is in the telemetry line
before it. Texts that hooks put in are parts of their own, or appended to what the model saw of an output.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.gemini import response_text
from mcp_memory.cli.transcripts.record import Event, EventKind, arguments_of, at_ms, expect
from mcp_memory.cli.transcripts.sessions import Facts, Found, episodes_of_lines, text_field

HOST = "qwen"
SUFFIXES = (".jsonl",)
_FACTS = {"sessionId": "id", "cwd": "cwd", "gitBranch": "branch", "version": "version"}
_PUT_IN = ("<qwen:", "<system-reminder", "<hook_context", "<task-notification", "This is the Qwen Code")
_NOT_A_PERSON = ("system", "tool_result", "assistant_output", "hook", "notification", "task_notification")


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call, and the lines that cannot be read."""
    yield from episodes_of_lines(HOST, path, _Lines().events)


def is_part(path: Path) -> bool:
    """Return whether a file below the folder is no chat."""
    return path.parent.name != "chats"


class _Lines:
    def __init__(self) -> None:
        self._took_ms: dict[str, int] = {}  # of calls whose result comes next

    def events(self, record: dict[str, Any], facts: Facts) -> Iterator[Event]:
        """Yield the events of a line."""
        for name, fact in _FACTS.items():
            if text := text_field(record, name):
                facts.setdefault(fact, text)
        kind, when = record.get("type"), at_ms(record.get("timestamp"))
        if kind == "system":
            self._hear(record)
            return
        if kind not in ("user", "assistant", "tool_result") or record.get("isSidechain"):
            return
        parts = expect(dict, record.get("message"), "`message`").get("parts")
        for part in expect(list, parts or [], "`message.parts`"):
            expect(dict, part, "a part")
        if kind == "user":
            if record.get("provenance") not in _NOT_A_PERSON and (prompt := _prompt_of(record, parts or [])):
                yield Event(EventKind.PROMPT, text=prompt, at_ms=when)
        elif kind == "assistant":
            facts.setdefault("model", text_field(record, "model"))
            yield from _answer_events(parts or [], when)
        else:
            yield from self._results(record, parts or [], when)

    def _hear(self, record: Mapping[str, Any]) -> None:
        payload = record.get("systemPayload")
        event = payload.get("uiEvent") if isinstance(payload, dict) else None
        if isinstance(event, dict) and isinstance(took := event.get("duration_ms"), int) and (call_id := text_field(event, "call_id")):
            self._took_ms[call_id] = took

    def _results(self, record: Mapping[str, Any], parts: list[dict[str, Any]], when: int) -> Iterator[Event]:
        told = record.get("toolCallResult")
        told = told if isinstance(told, dict) else {}
        display = told.get("resultDisplay")
        shell = display if isinstance(display, dict) and display.get("type") == "shell_result" else {}
        status = text_field(told, "status")
        for part in parts:
            if not isinstance(response := part.get("functionResponse"), dict):
                continue
            call_id = text_field(response, "id") or text_field(told, "callId")
            text, is_error = response_text([part])
            yield Event(
                EventKind.RESULT,
                text=text_field(shell, "output") if isinstance(shell.get("output"), str) else text,
                call_id=call_id,
                failed=status in ("error", "cancelled") or is_error or shell.get("exitCode") not in (None, 0),
                at_ms=when,
                duration_ms=self._took_ms.pop(call_id, None),
            )
        if status == "cancelled":
            yield Event(EventKind.INTERRUPT, at_ms=when)


def _answer_events(parts: list[dict[str, Any]], when: int) -> Iterator[Event]:
    for part in parts:
        if isinstance(call := part.get("functionCall"), dict):
            arguments = arguments_of(call.get("args"))
            yield Event(EventKind.CALL, tool=text_field(call, "name"), arguments=arguments, call_id=text_field(call, "id"), at_ms=when)
        elif (text := text_field(part, "text")) and not part.get("thought"):
            yield Event(EventKind.ANSWER, text=text, at_ms=when)


def _prompt_of(record: Mapping[str, Any], parts: list[dict[str, Any]]) -> str:
    if typed := text_field(record, "systemPayload", "displayText"):
        return typed
    texts = [text_field(part, "text") for part in parts]
    return "\n".join(text for text in texts if text.strip() and not text.lstrip().startswith(_PUT_IN))
