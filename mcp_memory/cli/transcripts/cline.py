"""Cline's sessions: ~/.cline/data/sessions/ID/ID.messages.json, one document of messages with Anthropic's blocks and a time each."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.lines import document
from mcp_memory.cli.transcripts.record import Event, EventKind, TranscriptError, arguments_of, at_ms, expect, text_of
from mcp_memory.cli.transcripts.sessions import Facts, Found, session_origin, text_field

HOST = "cline"
SUFFIXES = (".json",)
_INPUT = re.compile(r"<user_input\b[^>]*>(.*?)</user_input>", re.DOTALL)
_PUT_IN = ("<environment_details", "<system", "<mode_notice", "<hook_context", "[Request interrupted")
_WORKING_DIR = re.compile(r"Working Directory: (.+)")


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call."""
    try:
        session = expect(dict, document(path), "the document")
        messages = expect(list, session.get("messages"), "`messages`")
        events = [event for message in messages for event in _message_events(message)]
    except (TranscriptError, RecursionError) as error:
        yield 0, TranscriptError(str(error))
        return
    found = _WORKING_DIR.search(text_field(session, "system_prompt"))
    facts: Facts = {
        "id": text_field(session, "sessionId") or path.name.removesuffix(".messages.json"),
        "cwd": found[1].strip() if found else "",
        "version": text_field(session, "origin", "version"),
    }
    for episode in assemble(events, session_origin(HOST, path, facts), split=True):
        yield 0, episode


def is_part(path: Path) -> bool:
    """Return whether a file below the folder has no messages: what a session is made of stands beside them."""
    return not path.name.endswith(".messages.json")


def _message_events(message: Any) -> Iterator[Event]:
    content, when = expect(dict, message, "a message").get("content"), at_ms(message.get("ts"))
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else expect(list, content, "`content`")
    for block in blocks:
        kind = expect(dict, block, "a block").get("type")
        if kind == "text" and message.get("role") == "user":
            if prompt := _prompt_of(text_field(block, "text")):
                yield Event(EventKind.PROMPT, text=prompt, at_ms=when)
        elif kind == "text":
            yield Event(EventKind.ANSWER, text=text_field(block, "text"), at_ms=when)
        elif kind == "tool_use":
            arguments = arguments_of(block.get("input"))
            yield Event(EventKind.CALL, tool=text_field(block, "name"), arguments=arguments, call_id=text_field(block, "id"), at_ms=when)
        elif kind == "tool_result":
            text, failed = _result(block)
            yield Event(EventKind.RESULT, text=text, call_id=text_field(block, "tool_use_id"), failed=failed, at_ms=when)


def _prompt_of(text: str) -> str:
    typed = _INPUT.findall(text)
    if typed:
        return "\n".join(part.strip() for part in typed)
    return "" if text.lstrip().startswith(_PUT_IN) else text.strip()


def _result(block: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return (text, whether the call failed; None: nobody says) of a result: text, a list of runs, or the JSON of an MCP answer."""
    content, failed = block.get("content"), True if block.get("is_error") else None
    if isinstance(content, str):
        try:
            told = json.loads(content) if content.startswith("{") else None
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict) and isinstance(told.get("content"), list):
            return text_of(told["content"]), bool(told.get("isError")) or bool(failed)
        return content, failed
    runs = [run for run in content if isinstance(run, dict)] if isinstance(content, list) else []
    stated = [run["success"] for run in runs if isinstance(run.get("success"), bool)]
    if stated:
        texts = [_run_text(run, "result") + _run_text(run, "error") for run in runs]
        return "\n".join(text for text in texts if text), not all(stated) or bool(failed)
    return text_of(content), failed


def _run_text(run: Mapping[str, Any], name: str) -> str:
    value = run.get(name)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
