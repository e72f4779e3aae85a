"""LangChain messages in their three written forms: `messages_to_dict` ({type, data}), `dumps` ({lc, id, kwargs}) and plain fields."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts import openai
from mcp_memory.cli.transcripts.conversation import converted
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, arguments_of, content_id, expect, text_of

SUFFIXES = (".json", ".jsonl", ".ndjson")
_KINDS = {"human", "ai", "tool", "system", "function", "chat", "remove"}
_ROLES = {"user": "human", "human": "human", "assistant": "ai", "ai": "ai"}  # of a ChatMessage


def convert(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (line, episode) per conversation with tool calls."""
    return converted(path, is_message, message_events, _origin)


def _origin(conversation: dict[str, Any]) -> Origin:
    stated = conversation.get("thread_id") or conversation.get("id") or content_id(conversation["messages"])
    return Origin(external_id=f"langchain/{stated}", agent="langchain")


def is_message(value: Any) -> bool:
    """Return whether *value* is one message."""
    return isinstance(value, dict) and (value.get("lc") == 1 or _kind(str(value.get("type"))) in _KINDS)


def message_events(message: Any) -> Iterator[Event]:
    """Yield the events of one message."""
    kind, fields = _flat(expect(dict, message, "a message"))
    text = text_of(fields.get("content"))
    if kind == "human":
        yield Event(EventKind.PROMPT, text=text)
    elif kind == "ai":
        extra = expect(dict, fields.get("additional_kwargs") or {}, "`additional_kwargs`")
        if not fields.get("tool_calls") and (extra.get("tool_calls") or extra.get("function_call")):
            yield from openai.message_events({"role": "assistant", "content": fields.get("content"), **extra})  # as older versions wrote it
            return
        yield Event(EventKind.ANSWER, text=text)
        for call in expect(list, fields.get("tool_calls") or [], "`tool_calls`"):
            name = expect(str, expect(dict, call, "a tool call").get("name"), "a tool call's `name`")
            yield Event(EventKind.CALL, tool=name, arguments=arguments_of(call.get("args")), call_id=str(call.get("id")))
    elif kind == "function":
        yield Event(EventKind.RESULT, text=text, call_id=str(fields.get("name")))
    elif kind == "tool":
        status = fields.get("status")
        failed = status == "error" if status in ("success", "error") else None
        # "success" is the class's default, also where a tool returned an error as text
        yield Event(EventKind.RESULT, text=text, call_id=str(fields.get("tool_call_id")), failed=failed or None)


def _flat(message: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return (kind, fields) of a message in any of the three forms."""
    if message.get("lc") == 1:
        name = str((expect(list, message.get("id"), "`id`") or [""])[-1])
        fields = expect(dict, message.get("kwargs"), "`kwargs`")
    else:
        name, fields = str(message.get("type")), expect(dict, message.get("data", message), "`data`")
    kind = _kind(name)
    if kind not in _KINDS:
        raise TranscriptError(f"unknown message type {name!r}")
    return _ROLES.get(str(fields.get("role")), "system") if kind == "chat" else kind, fields


def _kind(name: str) -> str:
    """Return the kind that a class or a `type` names: `human` for HumanMessage, HumanMessageChunk and human."""
    return name.removesuffix("Chunk").removesuffix("Message").lower()
