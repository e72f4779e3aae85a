"""Copilot CLI's sessions: one `{type, data, id, timestamp}` a line, in ~/.copilot/session-state/SESSION/events.jsonl.

A subagent's calls carry the id of the call that started it: they are steps of its work, not of the turn, and are left out.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.record import Event, EventKind, arguments_of, at_ms, text_of
from mcp_memory.cli.transcripts.sessions import Facts, Found, episodes_of_lines, text_field
from mcp_memory.hooks.texts import bare

HOST = "copilot"
SUFFIXES = (".jsonl",)
_PEOPLE = ("", "user", "human")


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call, and the lines that cannot be read."""
    yield from episodes_of_lines(HOST, path, _line_events)


def _line_events(record: dict[str, Any], facts: Facts) -> Iterator[Event]:
    kind, data, when = str(record.get("type")), record.get("data"), at_ms(record.get("timestamp"))
    if not isinstance(data, dict) or data.get("parentToolCallId"):
        return
    call_id = text_field(data, "toolCallId")
    if kind == "session.start":
        context = data.get("context")
        known = {
            "id": text_field(data, "sessionId"),
            "version": text_field(data, "copilotVersion"),
            "model": text_field(data, "selectedModel"),
        }
        known |= {"cwd": text_field(context, "cwd"), "branch": text_field(context, "branch")}
        for name, value in known.items():
            if value:
                facts.setdefault(name, value)
    elif kind == "user.message" and text_field(data, "source") in _PEOPLE:
        if (text := text_of(data.get("content"))).strip():
            yield Event(EventKind.PROMPT, text=text, at_ms=when)
    elif kind == "assistant.message":
        yield Event(EventKind.ANSWER, text=text_of(data.get("content")), at_ms=when)
    elif kind == "tool.execution_start":
        tool = text_field(data, "toolName")
        yield Event(EventKind.CALL, tool=tool, arguments=arguments_of(data.get("arguments")), call_id=call_id, at_ms=when)
    elif kind == "tool.execution_complete":
        text, failed = _result(data)
        yield Event(EventKind.RESULT, text=text, call_id=call_id, failed=failed, at_ms=when)
    elif kind == "abort":
        yield Event(EventKind.INTERRUPT, at_ms=when)


def _result(data: Mapping[str, Any]) -> tuple[str, bool]:
    """Return (text, whether the call failed): a command that ran is a success to the host, whatever its exit code."""
    result, error, shell = data.get("result"), data.get("error"), data.get("shellExecution")
    exit_code = shell.get("exitCode") if isinstance(shell, dict) else None
    failed = data.get("success") is False or error is not None or exit_code not in (None, 0)
    said = error.get("message") if isinstance(error, dict) else error
    content = result.get("content") if isinstance(result, dict) else result
    text = "\n".join(part for part in (_text(content), _text(said)) if part)
    text, says_so = bare(text)
    return text, failed or bool(says_so)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else text_of(value)
