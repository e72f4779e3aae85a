"""Claude Code's session files: one JSON object a line, in ~/.claude/projects/FOLDER/SESSION.jsonl.

Lines of `type` user and assistant carry a `message` as the API knows it: text, tool_use and tool_result blocks. Lines marked
isMeta, isSidechain (a subagent's own steps) and isCompactSummary are not the main conversation and are left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, at_ms, expect, text_of
from mcp_memory.domain.metadata_keys import WORKING_DIR

SUFFIXES = (".jsonl",)
_NOT_PROMPTS = (
    *("<command-", "<local-command-", "<bash-", "<task-notification", "<system-reminder", "<ide_", "<teammate-message"),
    *("[Request interrupted by user", "Caveat: "),
)


def convert(path: Path) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (0, episode) per prompt that led to a tool call, and (line, TranscriptError) for lines that cannot be read."""
    problems: list[tuple[int, TranscriptError]] = []
    facts: dict[str, str] = {}
    events = _events(path, problems, facts)
    first = next(events, None)
    if first is not None:
        origin = Origin(
            external_id=f"claude-code/{facts.get('sessionId') or path.stem}",
            agent="claude-code",
            project=_folder_name(facts.get("cwd", "")),
            metadata={
                name: value
                for name, fact in ((WORKING_DIR, "cwd"), ("git_branch", "gitBranch"), ("agent_version", "version"))
                if (value := facts.get(fact))
            },
        )
        for episode in assemble(_chained(first, events), origin, split=True):
            yield 0, episode
    yield from problems


def _chained(first: Event, rest: Iterator[Event]) -> Iterator[Event]:
    yield first
    yield from rest


def _events(path: Path, problems: list[tuple[int, TranscriptError]], facts: dict[str, str]) -> Iterator[Event]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = expect(dict, json.loads(line), "the line")
                found = list(_line_events(record))
            except (ValueError, RecursionError) as error:  # not JSON, not the form, nested too deep
                problems.append((number, TranscriptError(str(error))))
                continue
            for key in ("sessionId", "cwd", "gitBranch", "version"):
                if isinstance(record.get(key), str):
                    facts.setdefault(key, record[key])
            yield from found


def _line_events(record: Mapping[str, Any]) -> Iterator[Event]:
    if record.get("type") not in ("user", "assistant") or any(record.get(mark) for mark in ("isMeta", "isSidechain", "isCompactSummary")):
        return
    message = expect(dict, record.get("message"), "`message`")
    when, content = at_ms(record.get("timestamp")), message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else expect(list, content, "`message.content`")
    if record["type"] == "user" and (prompt := _prompt_of(blocks)):
        yield Event(EventKind.PROMPT, text=prompt, at_ms=when, event_id=str(record.get("uuid") or ""))
    for block in blocks:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "text" and record["type"] == "assistant":
            yield Event(EventKind.ANSWER, text=str(block.get("text") or ""), at_ms=when)
        elif kind == "tool_use":
            arguments = expect(dict, block.get("input", {}), "`input`")
            yield Event(EventKind.CALL, tool=str(block.get("name")), arguments=arguments, call_id=str(block.get("id")), at_ms=when)
        elif kind == "tool_result":
            failed = bool(block.get("is_error"))
            text = text_of(block.get("content"))
            yield Event(EventKind.RESULT, text=text, call_id=str(block.get("tool_use_id")), failed=failed, at_ms=when)


def _prompt_of(blocks: Sequence[Any]) -> str:
    """Return what a person wrote: the text blocks of one line are one prompt, those the program put in are none of it."""
    texts = [str(block.get("text") or "") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    return "\n".join(text for text in texts if text.strip() and not text.lstrip().startswith(_NOT_PROMPTS))


def _folder_name(cwd: str) -> str | None:
    """Return the last part of a path of any system: the same project name that the server takes from CLAUDE_PROJECT_DIR."""
    return PureWindowsPath(cwd).name or None
