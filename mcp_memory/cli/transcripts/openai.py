"""OpenAI-style conversations: `messages` with `role`, `tool_calls` and role `tool`; also the items of the Responses form.

Calls of any kind count (functions, custom tools, shell, MCP, web and file search, code interpreter …), each item type ending in `_call`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.conversation import converted
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, arguments_of, at_ms, content_id, expect, text_of

SUFFIXES = (".json", ".jsonl", ".ndjson")
# Items of the Responses form that are no call, no answer of one, and no message.
_SILENT_ITEMS = ("reasoning", "item_reference", "compaction", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response")
_CALL, _OUTPUT = "_call", "_call_output"
_INPUTS = ("arguments", "input", "action", "code", "queries", "operation")  # where the kinds of calls have what they were called with
_OUTPUTS = ("output", "outputs", "results")  # of those that were run for the model


def convert(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (line, episode) per conversation with tool calls."""
    return converted(path, is_message, message_events, _origin)


def _origin(conversation: dict[str, Any]) -> Origin:
    stated = conversation.get("id") or conversation.get("conversation_id") or content_id(conversation["messages"])
    return Origin(external_id=f"openai/{stated}", agent=str(conversation.get("model") or "openai"))


def is_message(value: Any) -> bool:
    """Return whether *value* is one message or item of a conversation."""
    return isinstance(value, dict) and ("role" in value or _is_item(str(value.get("type"))))


def message_events(message: Any) -> Iterator[Event]:
    """Yield the events of one message."""
    expect(dict, message, "a message")
    role, when = message.get("role"), at_ms(message.get("created_at") or message.get("timestamp"))
    kind = str(message.get("type"))
    if kind.endswith(_OUTPUT):
        failed = True if message.get("status") in ("failed", "incomplete") else None
        yield Event(EventKind.RESULT, text=text_of(message.get("output")), call_id=_item_id(message), failed=failed, at_ms=when)
    elif kind.endswith(_CALL):
        yield from _item_events(message, kind, when)
    elif role == "user":
        yield Event(EventKind.PROMPT, text=text_of(message.get("content")), at_ms=when)
    elif role == "assistant":
        yield Event(EventKind.ANSWER, text=text_of(message.get("content")), at_ms=when)
        for call in message.get("tool_calls") or ():
            form = "custom" if expect(dict, call, "a tool call").get("custom") else "function"
            yield _call(expect(dict, call.get(form), f"`{form}`"), str(call.get("id")), when)
        if message.get("function_call"):
            function = expect(dict, message["function_call"], "`function_call`")
            yield _call(function, str(function.get("name")), when)
    elif role in ("tool", "function"):
        call_id = str(message.get("tool_call_id") or message.get("name"))
        yield Event(EventKind.RESULT, text=text_of(message.get("content")), call_id=call_id, at_ms=when)
    elif role not in ("system", "developer") and kind not in _SILENT_ITEMS:
        raise TranscriptError(f"a message of unknown role {role!r}")


def _item_events(item: Mapping[str, Any], kind: str, when: int) -> Iterator[Event]:
    """Yield the call of an item, and its result when the item has that, too: hosted tools answer in the item of the call."""
    given = next((item[name] for name in _INPUTS if item.get(name) is not None), None)
    tool, call_id = str(item.get("name") or kind.removesuffix(_CALL)), _item_id(item)
    yield Event(EventKind.CALL, tool=tool, arguments=arguments_of(given), call_id=call_id, at_ms=when)
    output = next((item[name] for name in _OUTPUTS if item.get(name) is not None), None)
    failed = bool(item.get("error")) or item.get("status") in ("failed", "incomplete")
    if output is not None or failed:
        yield Event(EventKind.RESULT, text=text_of(item.get("error") or output), call_id=call_id, failed=failed or None, at_ms=when)


def _item_id(item: Mapping[str, Any]) -> str:
    return str(item.get("call_id") or item.get("id"))


def _is_item(kind: str) -> bool:
    return kind.endswith((_CALL, _OUTPUT)) or kind in _SILENT_ITEMS


def _call(function: Mapping[str, Any], call_id: str, when: int) -> Event:
    name = expect(str, function.get("name"), "a tool call's `name`")
    given = function.get("arguments", function.get("input"))  # a custom tool's input is free text
    return Event(EventKind.CALL, tool=name, arguments=arguments_of(given), call_id=call_id, at_ms=when)
