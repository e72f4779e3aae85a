"""Codex's rollouts: one `{timestamp, type, payload}` a line, in ~/.codex/sessions/YEAR/MONTH/DAY/rollout-*.jsonl.

The calls and their order are in `response_item` lines (function_call, custom_tool_call, local_shell_call, …); what a command did, with
its exit code, is in the `item_completed` line of the same id. Older rollouts have only the text of the output, which says the exit code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.record import Event, EventKind, arguments_of, at_ms, expect, text_of
from mcp_memory.cli.transcripts.sessions import Facts, Found, episodes_of_lines, text_field

HOST = "codex"
SUFFIXES = (".jsonl",)
_NOT_PROMPTS = (
    *("<environment_context", "<user_instructions", "# AGENTS.md instructions", "<turn_aborted", "<user_shell_command", "<skill"),
    *("<permissions", "<collaboration_mode", "<subagent_notification", "<hook_prompt", "<model_switch", "<INSTRUCTIONS"),
)
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)$", re.MULTILINE)
_WALL = re.compile(r"^Wall time: ([\d.]+) seconds$", re.MULTILINE)
_HEAD_CHARS = 400
_SILENT_ITEMS = ("UserMessage", "AgentMessage", "Reasoning", "Plan", "ContextCompaction")


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call, and the lines that cannot be read."""
    yield from episodes_of_lines(HOST, path, _Lines().events)


class _Lines:
    """Reads the lines of one rollout; what an `item_completed` said of a call, its later output does not change."""

    def __init__(self) -> None:
        self._called: set[str] = set()
        self._told: set[str] = set()
        self._turn = ""

    def events(self, record: dict[str, Any], facts: Facts) -> Iterator[Event]:
        """Yield the events of a line."""
        payload, kind, when = record.get("payload"), record.get("type"), at_ms(record.get("timestamp"))
        if not isinstance(payload, dict):
            return
        if kind == "session_meta":
            for name, fact in (("id", "id"), ("cwd", "cwd"), ("cli_version", "version")):
                if text := text_field(payload, name):
                    facts.setdefault(fact, text)
            if branch := text_field(payload, "git", "branch"):
                facts.setdefault("branch", branch)
            if remote := text_field(payload, "git", "repository_url"):
                facts.setdefault("remote", remote)
        elif kind == "turn_context":
            self._turn = text_field(payload, "turn_id") or self._turn
            facts.setdefault("model", text_field(payload, "model"))
        elif kind == "response_item":
            yield from self._item(payload, when)
        elif kind == "event_msg":
            yield from self._message(payload, when)

    def _message(self, payload: Mapping[str, Any], when: int) -> Iterator[Event]:
        kind = payload.get("type")
        if kind == "task_started":
            self._turn = text_field(payload, "turn_id")
        elif kind == "turn_aborted":
            yield Event(EventKind.INTERRUPT, at_ms=when)
        elif kind == "item_completed":
            yield from self._completed(expect(dict, payload.get("item"), "`item`"), payload)

    def _item(self, item: Mapping[str, Any], when: int) -> Iterator[Event]:
        kind, call_id = str(item.get("type")), str(item.get("call_id") or item.get("id"))
        if kind == "message" and item.get("role") == "user":
            if (text := _prompt_of(item.get("content"))).strip():
                turn = text_field(item, "internal_chat_message_metadata_passthrough", "turn_id") or self._turn
                yield Event(EventKind.PROMPT, text=text, at_ms=when, event_id=turn)
        elif kind == "message" and item.get("role") == "assistant":
            yield Event(EventKind.ANSWER, text=text_of(item.get("content")), at_ms=when)
        elif kind.endswith("_call_output"):
            if call_id not in self._told:
                yield _output(call_id, item.get("output"), when)
        elif kind.endswith("_call") and call_id not in self._called:
            self._called.add(call_id)
            tool = text_field(item, "namespace") + (text_field(item, "name") or kind.removesuffix("_call"))
            given = next((item[name] for name in ("arguments", "input", "action") if item.get(name) is not None), None)
            yield Event(EventKind.CALL, tool=tool, arguments=arguments_of(given), call_id=call_id, at_ms=when)
            if kind == "web_search_call":  # run by the provider: its answer is in no line
                yield Event(EventKind.RESULT, call_id=call_id, failed=item.get("status") == "failed", at_ms=when)

    def _completed(self, item: Mapping[str, Any], payload: Mapping[str, Any]) -> Iterator[Event]:
        """Yield the result of a call whose item is complete, and before it the call where no other line has that."""
        kind, call_id, when = text_field(item, "type"), text_field(item, "id"), at_ms(payload.get("completed_at_ms"))
        if kind in _SILENT_ITEMS or not call_id:
            return
        if kind != "CommandExecution" and call_id in self._called:
            return  # its output line says it all
        if call_id not in self._called:
            self._called.add(call_id)
            started = at_ms(payload.get("started_at_ms"))
            yield Event(EventKind.CALL, tool=_tool_of(item), arguments=_arguments_of(item), call_id=call_id, at_ms=started)
        self._told.add(call_id)
        text = item.get("aggregated_output") or item.get("error") or item.get("result") or ""
        yield Event(
            EventKind.RESULT,
            text=text if isinstance(text, str) else json.dumps(text, ensure_ascii=False),
            call_id=call_id,
            failed=text_field(item, "status").lower() in ("failed", "declined", "error") or item.get("exit_code") not in (None, 0),
            at_ms=when,
            duration_ms=_duration_ms(item.get("duration")),
        )


def _prompt_of(content: Any) -> str:
    parts = [text_of([part]) for part in content] if isinstance(content, list) else [text_of(content)]
    return "\n".join(part for part in parts if part.strip() and not part.lstrip().startswith(_NOT_PROMPTS))


def _output(call_id: str, output: Any, when: int) -> Event:
    """Return the result in an output line: text, text parts, or (older) JSON of the text with its exit code."""
    text, failed, duration_ms = text_of(output), None, None
    try:
        told = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict) and isinstance(told.get("output"), str):
        metadata = told.get("metadata")
        exit_code, seconds = (metadata.get("exit_code"), metadata.get("duration_seconds")) if isinstance(metadata, dict) else (None, None)
        failed = exit_code != 0 if isinstance(exit_code, int) else None
        return Event(EventKind.RESULT, text=told["output"], call_id=call_id, failed=failed, at_ms=when, duration_ms=_milliseconds(seconds))
    head, mark, rest = text.partition("Output:\n")
    if mark and len(head) <= _HEAD_CHARS:
        if found := _EXIT.search(head):
            failed = found[1] != "0"
        if found := _WALL.search(head):
            duration_ms = _milliseconds(float(found[1]))
        text = rest
    return Event(EventKind.RESULT, text=text, call_id=call_id, failed=failed, at_ms=when, duration_ms=duration_ms)


def _tool_of(item: Mapping[str, Any]) -> str:
    kind = text_field(item, "type")
    if tool := text_field(item, "tool") or text_field(item, "name"):
        return f"mcp__{server}__{tool}" if (server := text_field(item, "server")) else tool
    return {"CommandExecution": "exec_command", "FileChange": "apply_patch", "WebSearch": "web_search"}.get(kind, kind)


def _arguments_of(item: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(command := item.get("command"), list):
        words = [str(word) for word in command]
        return {
            "cmd": words[2] if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(words),
            "workdir": str(item.get("cwd") or ""),
        }
    given = next((item[name] for name in ("arguments", "changes", "query") if item.get(name) is not None), None)
    return arguments_of(given)


def _duration_ms(duration: Any) -> int | None:
    if not isinstance(duration, dict):
        return None
    secs, nanos = duration.get("secs"), duration.get("nanos")
    if not isinstance(secs, int) or not isinstance(nanos, int):
        return None
    return max(0, secs) * 1000 + nanos // 1_000_000


def _milliseconds(seconds: Any) -> int | None:
    return int(seconds * 1000) if isinstance(seconds, int | float) and 0 <= seconds < 1e9 else None
