"""SWE-agent's .traj files: one JSON document per run with `trajectory` (action, observation), `history` and `info`.

`info.exit_status` says how the run ended, not whether the change was right: a submission is partial and marked inferred, an exit for
cost, context or format is a failure. A `resolved` flag beside it, as evaluation scripts add one, is taken as stated.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.lines import document as json_document
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, content_id, expect, text_of

SUFFIXES = (".traj", ".json")
# The agent's own commands; everything else is a line for the shell.
_OWN_COMMANDS = frozenset(
    (
        *("open", "goto", "create", "edit", "insert", "append", "scroll_up", "scroll_down", "search_file", "search_dir", "find_file"),
        *("submit", "exit_cost", "exit_format", "exit_context", "str_replace_editor", "view_image", "windowed_edit", "filemap"),
    )
)
_FAILED = re.compile(r"exit_(cost|context|format|error|timeout|api|total|command)|early_exit|^error$|skipped", re.IGNORECASE)
_TASK = re.compile(r"(?:<pr_description>|ISSUE:)\s*(.*?)\s*(?:</pr_description>|\nINSTRUCTIONS:|\Z)", re.DOTALL)


def convert(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (0, episode) for a run with actions."""
    try:
        document = expect(dict, json_document(path), "the document")
        trajectory = expect(list, document.get("trajectory"), "`trajectory`")
        history = expect(list, document.get("history") or [], "`history`")
        info = expect(dict, document.get("info") or {}, "`info`")
        events = [event for number, item in enumerate(trajectory) for event in _item_events(number, item)]
    except (ValueError, RecursionError) as error:
        yield 0, TranscriptError(str(error))
        return
    outcome, inferred = _outcome(info)
    metadata = {"exit_status": info["exit_status"]} if info.get("exit_status") else {}
    if inferred:
        metadata["outcome_inferred"] = inferred
    origin = Origin(
        external_id=f"swe-agent/{path.stem}/{content_id(trajectory)}",
        agent="swe-agent",
        task=_task(history, path),
        outcome=outcome,
        metadata=metadata,
    )
    prompt = Event(EventKind.PROMPT, text=origin.task or "")
    for episode in assemble([prompt, *events], origin, split=False):
        yield 0, episode


def _item_events(number: int, item: Any) -> Iterator[Event]:
    expect(dict, item, "an item of `trajectory`")
    command = str(item.get("action") or "").strip()
    if thought := item.get("thought"):
        yield Event(EventKind.ANSWER, text=str(thought))
    if not command:
        return
    words = command.split(None, 2)
    own = words[0] in _OWN_COMMANDS
    duration = item.get("execution_time")
    yield Event(
        EventKind.CALL,
        tool=words[0] if own else "bash",
        action=words[1] if words[0] == "str_replace_editor" and len(words) > 1 else "" if own else words[0],
        arguments={"command": command},
        call_id=str(number),
        duration_ms=int(duration * 1000) if isinstance(duration, int | float) else None,
    )
    yield Event(EventKind.RESULT, text=text_of(item.get("observation")), call_id=str(number))


def _task(history: Sequence[Any], path: Path) -> str:
    """Return the issue's text from the first user message that is no demonstration, else the file's name."""
    for message in history:
        if isinstance(message, dict) and message.get("role") == "user" and not message.get("is_demo"):
            text = text_of(message.get("content"))
            found = _TASK.search(text)
            return found.group(1) if found and found.group(1) else text
    return path.stem


def _outcome(info: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    if isinstance(info.get("resolved"), bool):
        return {"kind": "success" if info["resolved"] else "failure", "summary": ""}, ""
    status = str(info.get("exit_status") or "")
    if _FAILED.search(status):
        return {"kind": "failure", "summary": "", "error": status}, f"the run ended with {status}"
    if status.startswith("submitted"):
        return {"kind": "partial", "summary": ""}, "a change was submitted; whether it is right is not recorded"
    return None, ""
