"""Continue's sessions: ~/.continue/sessions/ID.json, one document of messages, each with the states of its tool calls.

The file has no times of its own: a session begins when the list of sessions beside it says so, else when its file was last written.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.lines import document
from mcp_memory.cli.transcripts.record import Event, EventKind, TranscriptError, arguments_of, at_ms, expect, text_of
from mcp_memory.cli.transcripts.sessions import Facts, Found, session_origin, text_field

HOST = "continue"
SUFFIXES = (".json",)
_LIST = "sessions.json"
_ENDED_BADLY = ("errored", "canceled")


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call."""
    try:
        session = expect(dict, document(path), "the document")
        history = expect(list, session.get("history"), "`history`")
        session_id = text_field(session, "sessionId") or path.stem
        began_ms = _began_ms(path, session_id)
        events = [event for item in history for event in _item_events(expect(dict, item, "an item"), began_ms)]
    except (TranscriptError, RecursionError) as error:
        yield 0, TranscriptError(str(error))
        return
    facts: Facts = {"id": session_id, "cwd": text_field(session, "workspaceDirectory").removeprefix("file://")}
    for episode in assemble(events, session_origin(HOST, path, facts), split=True):
        yield 0, episode


def is_part(path: Path) -> bool:
    """Return whether a file is the list of the sessions, not one of them."""
    return path.name == _LIST


def _began_ms(path: Path, session_id: str) -> int:
    try:
        listed = document(path.with_name(_LIST))
    except TranscriptError:
        listed = None
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and entry.get("sessionId") == session_id:
            created = entry.get("dateCreated")
            return at_ms(int(created) if isinstance(created, str) and created.isdecimal() else created)
    return int(path.stat().st_mtime * 1000)


def _item_events(item: Mapping[str, Any], began_ms: int) -> Iterator[Event]:
    message = expect(dict, item.get("message"), "`message`")
    role, text = message.get("role"), text_of(message.get("content"))
    if role == "user" and text.strip():
        yield Event(EventKind.PROMPT, text=text, at_ms=began_ms)
    elif role == "assistant":
        yield Event(EventKind.ANSWER, text=text)
        states = item.get("toolCallStates") or []
        for state in expect(list, states, "`toolCallStates`"):
            yield from _call_events(expect(dict, state, "a tool call's state"))


def _call_events(state: Mapping[str, Any]) -> Iterator[Event]:
    call_id, status = text_field(state, "toolCallId"), text_field(state, "status")
    given = state.get("parsedArgs")
    if given is None and isinstance(state.get("toolCall"), dict):
        given = text_field(state, "toolCall", "function", "arguments")
    yield Event(EventKind.CALL, tool=text_field(state, "toolCall", "function", "name"), arguments=arguments_of(given), call_id=call_id)
    output = state.get("output")
    if output is None and status not in ("done", *_ENDED_BADLY):
        return
    parts = [part.get("content") for part in output if isinstance(part, dict)] if isinstance(output, list) else [output]
    text = "\n".join(text_of(part) for part in parts if part)
    yield Event(EventKind.RESULT, text=text, call_id=call_id, failed=True if status in _ENDED_BADLY else None)
    if status == "canceled":
        yield Event(EventKind.INTERRUPT)
