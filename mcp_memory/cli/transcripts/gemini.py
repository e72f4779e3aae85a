"""Gemini CLI's chats: ~/.gemini/tmp/PROJECT/chats/session-*.jsonl, or one JSON document in older versions.

A line is the header, a `{"$set": …}` patch, or a message `{id, type, content, toolCalls}`. A message is written again when its calls
have run: of lines with the same id the later one counts. A call's `status` says success where the command failed, so the exit code in
its output counts. Context that hooks and the program put in is no part of a prompt or an output.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import Assembly
from mcp_memory.cli.transcripts.lines import document
from mcp_memory.cli.transcripts.record import Event, EventKind, TranscriptError, arguments_of, at_ms, expect, text_of
from mcp_memory.cli.transcripts.sessions import Facts, Found, chained, lines_to_events, session_origin, text_field
from mcp_memory.domain.prompts import typed
from mcp_memory.hooks.texts import bare

HOST = "gemini"
SUFFIXES = (".jsonl", ".json")
_PUT_IN = ("<session_context", "<hook_context", "<environment_context", "This is the Gemini CLI.")
_WORKSPACE = re.compile(r"\*\*Workspace Directories:\*\*\s*\n\s*- (.+)")
_WRAPPING = re.compile(r"</?untrusted_context>\n?|<hook_context>.*?</hook_context>", re.DOTALL)
_PROJECT_HASH = re.compile(r"[0-9a-f]{64}")
_PLAIN_FILE_BYTES = 4_096


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call, and the lines that cannot be read."""
    facts, problems, lines = _place_facts(path), list[Found](), _Lines()
    if path.suffix == ".jsonl":
        events = lines_to_events(path, facts, problems, lines.events)
    else:
        events = _document_events(path, facts, problems, lines)
    first = next(events, None)
    if first is not None:
        for episode in Assembly(session_origin(HOST, path, facts), split=True).episodes(chained(first, events)):
            yield 0, episode
    yield from problems


def is_part(path: Path) -> bool:
    """Return whether a file below the folder is no chat: its logs, checkpoints and lists are beside them."""
    return not path.name.startswith("session-")


def _place_facts(path: Path) -> Facts:
    """Return the folder of the project, as far as the place of the file tells it: a name, or a note of its root."""
    place = path.parent.parent
    try:
        with (place / ".project_root").open(encoding="utf-8", errors="replace") as file:
            root = file.read(_PLAIN_FILE_BYTES).strip()
    except OSError:
        root = ""
    if not root and path.parent.name == "chats" and not _PROJECT_HASH.fullmatch(place.name):
        root = place.name
    return {"place": root}


def _document_events(path: Path, facts: Facts, problems: list[Found], lines: "_Lines") -> Iterator[Event]:
    try:
        chat = expect(dict, document(path), "the document")
        expect(list, chat.get("messages"), "`messages`")
        events = list(lines.events({"sessionId": chat.get("sessionId"), "$set": {"messages": chat["messages"]}}, facts))
    except (TranscriptError, RecursionError) as error:
        problems.append((0, TranscriptError(str(error))))
        return
    yield from events


class _Lines:
    """Reads the lines of one chat. Calls are told by their ids, so a repeated message adds what is new in it."""

    def __init__(self) -> None:
        self._prompts: set[str] = set()
        self._called: set[str] = set()

    def events(self, record: dict[str, Any], facts: Facts) -> Iterator[Event]:
        """Yield the events of a line."""
        if session := text_field(record, "sessionId"):
            facts.setdefault("id", session)
        patch = record.get("$set")
        for message in expect(list, patch.get("messages") or [], "`messages`") if isinstance(patch, dict) else [record]:
            yield from self._message(expect(dict, message, "a message"), facts)
        if facts.get("cwd") or "type" in record:
            facts.setdefault("cwd", facts.get("place", ""))

    def _message(self, message: Mapping[str, Any], facts: Facts) -> Iterator[Event]:
        kind, when, message_id = message.get("type"), at_ms(message.get("timestamp")), text_field(message, "id")
        if kind == "user":
            if found := _WORKSPACE.search(text_of(message.get("content"))):
                facts.setdefault("cwd", found[1].strip())
            prompt = _prompt_of(message)
            if prompt and message_id not in self._prompts:
                self._prompts.add(message_id or prompt)
                facts.setdefault("cwd", facts.get("place", ""))
                yield Event(EventKind.PROMPT, text=prompt, at_ms=when)
        elif kind == "gemini":
            if text := text_of(message.get("content")).strip():
                yield Event(EventKind.ANSWER, text=text, at_ms=when)
            facts.setdefault("model", text_field(message, "model"))
            for call in expect(list, message.get("toolCalls") or [], "`toolCalls`"):
                yield from self._call(expect(dict, call, "a tool call"), when)
        elif kind in ("info", "error", "warning") and "cancel" in text_of(message.get("content")).lower():
            yield Event(EventKind.INTERRUPT, at_ms=when)

    def _call(self, call: Mapping[str, Any], asked_at_ms: int) -> Iterator[Event]:
        call_id, status = text_field(call, "id"), text_field(call, "status")
        if call_id not in self._called:
            self._called.add(call_id)
            arguments = arguments_of(call.get("args"))
            yield Event(EventKind.CALL, tool=text_field(call, "name"), arguments=arguments, call_id=call_id, at_ms=asked_at_ms)
        if call.get("result") is None and status not in ("success", "error", "cancelled"):
            return
        text, is_error = response_text(call.get("result"))
        failed = status in ("error", "cancelled") or is_error
        yield Event(EventKind.RESULT, text=text, call_id=call_id, failed=failed, at_ms=at_ms(call.get("timestamp")))
        if status == "cancelled":
            yield Event(EventKind.INTERRUPT, at_ms=at_ms(call.get("timestamp")))


def response_text(result: Any) -> tuple[str, bool]:
    """Return (text, whether it failed) of the functionResponse parts of a call's result, without what was put around it."""
    texts, is_error = [], False
    for part in result if isinstance(result, list) else [result]:
        holder = part.get("functionResponse", part) if isinstance(part, dict) else None
        response = holder.get("response") if isinstance(holder, dict) else holder or part
        if isinstance(response, dict):
            is_error |= bool(response.get("error"))
            response = response.get("error") or response.get("output") or ("" if "output" in response else response)
        if response:
            texts.append(response if isinstance(response, str) else text_of([response]) or text_of(response))
    text, failed = bare(_WRAPPING.sub("", "\n".join(texts)).strip("\n"))
    return text, is_error or bool(failed)


def _prompt_of(message: Mapping[str, Any]) -> str:
    """Return what the person typed: without what the program and hooks put in, and without answers of tools."""
    content = message.get("displayContent") or message.get("content")
    parts = [typed(text_of([part])) for part in content] if isinstance(content, list) else [typed(text_of(content))]
    return "\n".join(part for part in parts if part.strip() and not part.lstrip().startswith(_PUT_IN))
