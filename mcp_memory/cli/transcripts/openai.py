"""OpenAI-style conversations: `messages` with `role`, `tool_calls` and role `tool`; also the Responses form with function_call items."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.conversation import conversations
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, arguments_of, at_ms, content_id, expect, text_of

SUFFIXES = (".json", ".jsonl", ".ndjson")
_ITEM_TYPES = ("function_call", "function_call_output", "reasoning")  # of the Responses form, beside messages


def convert(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (line, episode) per conversation with tool calls."""
    for number, conversation in conversations(path, is_message):
        if isinstance(conversation, TranscriptError):
            yield number, conversation
            continue
        try:
            events = [event for message in conversation["messages"] for event in message_events(message)]
        except TranscriptError as error:
            yield number, error
            continue
        stated = conversation.get("id") or conversation.get("conversation_id") or content_id(conversation["messages"])
        origin = Origin(external_id=f"openai/{stated}", agent=str(conversation.get("model") or "openai"))
        for episode in assemble(events, origin, split=False):
            yield number, episode


def is_message(value: Any) -> bool:
    """Return whether *value* is one message or item of a conversation."""
    return isinstance(value, dict) and ("role" in value or value.get("type") in _ITEM_TYPES)


def message_events(message: Any) -> Iterator[Event]:
    """Yield the events of one message."""
    expect(dict, message, "a message")
    role, when = message.get("role"), at_ms(message.get("created_at") or message.get("timestamp"))
    if message.get("type") == "function_call":
        yield _call(message, str(message.get("call_id")), when)
    elif message.get("type") == "function_call_output":
        yield Event(EventKind.RESULT, text=text_of(message.get("output")), call_id=str(message.get("call_id")), at_ms=when)
    elif role == "user":
        yield Event(EventKind.PROMPT, text=text_of(message.get("content")), at_ms=when)
    elif role == "assistant":
        yield Event(EventKind.ANSWER, text=text_of(message.get("content")), at_ms=when)
        for call in message.get("tool_calls") or ():
            function = expect(dict, expect(dict, call, "a tool call").get("function"), "`function`")
            yield _call(function, str(call.get("id")), when)
        if message.get("function_call"):
            function = expect(dict, message["function_call"], "`function_call`")
            yield _call(function, str(function.get("name")), when)
    elif role in ("tool", "function"):
        call_id = str(message.get("tool_call_id") or message.get("name"))
        yield Event(EventKind.RESULT, text=text_of(message.get("content")), call_id=call_id, at_ms=when)
    elif role not in ("system", "developer") and message.get("type") != "reasoning":
        raise TranscriptError(f"a message of unknown role {role!r}")


def _call(function: Mapping[str, Any], call_id: str, when: int) -> Event:
    name = expect(str, function.get("name"), "a tool call's `name`")
    return Event(EventKind.CALL, tool=name, arguments=arguments_of(function.get("arguments")), call_id=call_id, at_ms=when)
