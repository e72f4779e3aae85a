"""Claude Code's session files: one JSON object a line, in ~/.claude/projects/FOLDER/SESSION.jsonl.

Lines of `type` user and assistant carry a `message` as the API knows it: text, tool_use and tool_result blocks. Lines marked
isMeta, isSidechain (a subagent's own steps) and isCompactSummary are not the main conversation and are left out; an isMeta line after a
slash command is what the command stands for. A subagent's steps are in SESSION/subagents/agent-ID.jsonl: a child episode of the turn
whose `promptId` its lines name. A resumed session goes on in its file, a forked one copies the lines and says where they come from.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import Assembly
from mcp_memory.cli.transcripts.record import Event, EventKind, TranscriptError, at_ms, expect, text_of
from mcp_memory.cli.transcripts.sessions import Facts, Found, chained, lines_to_events, session_origin, text_field
from mcp_memory.domain.prompts import INTERRUPTED, is_prompt
from mcp_memory.domain.session_ids import agent_turn, turn_id

HOST = "claude-code"
SUFFIXES = (".jsonl",)
_SUBAGENTS = "subagents"
_FACTS = {"sessionId": "id", "cwd": "cwd", "gitBranch": "branch", "version": "version"}


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt that led to a tool call, those of its subagents after them, and the lines that cannot be read."""
    if path.parent.name == _SUBAGENTS:
        yield from _subagent(path, {})
        return
    facts: Facts = {}
    problems: list[Found] = []
    events = lines_to_events(path, facts, problems, _Lines(is_subagent=False).events)
    first = next(events, None)
    turns: dict[str, str] = {}
    if first is not None:
        assembly = Assembly(session_origin(HOST, path, facts), split=True)
        for episode in assembly.episodes(chained(first, events)):
            yield 0, episode
        turns = assembly.turns
    yield from problems
    for child in sorted((path.with_suffix("") / _SUBAGENTS).glob("*.jsonl")):
        yield from _subagent(child, turns)


def is_part(path: Path) -> bool:
    """Return whether a file is read with another one: a subagent's, with its session's."""
    session = path.parent.parent
    return path.parent.name == _SUBAGENTS and (session.parent / f"{session.name}.jsonl").is_file()


def _subagent(path: Path, turns: Mapping[str, str]) -> Iterator[Found]:
    """Yield the one episode of a subagent's run, a child of the turn that started it."""
    facts: Facts = {"id": path.parent.parent.name}
    problems: list[Found] = []
    events = lines_to_events(path, facts, problems, _Lines(is_subagent=True).events)
    first = next(events, None)
    if first is not None:
        run = agent_turn(facts.get("agent") or path.stem.removeprefix("agent-"))
        parent = turns.get(first.event_id) or turn_id(HOST, facts["id"], first.event_id)
        origin = session_origin(HOST, path, facts, agent_turn=run, parent=parent)
        for episode in Assembly(origin, split=False).episodes(chained(first, events)):
            yield 0, episode
    yield from ((0, TranscriptError(f"{path.name}:{number}: {problem}")) for number, problem in problems)


class _Lines:
    """Reads the lines of one file; a slash command waits for the line that says what it stands for."""

    def __init__(self, *, is_subagent: bool) -> None:
        self._is_subagent = is_subagent
        self._command: dict[str, Any] | None = None

    def events(self, record: dict[str, Any], facts: Facts) -> Iterator[Event]:
        """Yield the events of a line."""
        for name, fact in _FACTS.items():
            if isinstance(record.get(name), str):
                facts.setdefault(fact, record[name])
        if isinstance(record.get("agentId"), str):
            facts.setdefault("agent", record["agentId"])
        if record.get("type") not in ("user", "assistant") or record.get("isCompactSummary"):
            return
        if bool(record.get("isSidechain")) is not self._is_subagent:
            return
        message = expect(dict, record.get("message"), "`message`")
        content = message.get("content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else expect(list, content, "`message.content`")
        if record.get("isMeta"):
            yield from self._expanded(record, blocks)
            return
        if record["type"] == "user":
            yield from self._user(record, blocks)
        yield from _block_events(record, blocks)

    def _user(self, record: dict[str, Any], blocks: Sequence[Any]) -> Iterator[Event]:
        when, texts = at_ms(record.get("timestamp")), _texts(blocks)
        if any(text.lstrip().startswith(("<command-name>", "<command-message>")) for text in texts):
            self._command = record
            return
        if any(text.lstrip().startswith(INTERRUPTED) for text in texts):
            yield Event(EventKind.INTERRUPT, at_ms=when)
        if text_field(record, "origin", "kind") in ("", "human") and (prompt := _prompt_of(texts)):
            self._command = None
            yield _prompt(record, prompt)

    def _expanded(self, record: dict[str, Any], blocks: Sequence[Any]) -> Iterator[Event]:
        """Yield the prompt that a slash command stands for, when this line is its text."""
        command, text = self._command, _prompt_of(_texts(blocks))
        if command is None or not text or command.get("promptId") != record.get("promptId"):
            return
        self._command = None
        typed = _texts([{"type": "text", "text": command["message"]["content"]}])[0] if command else ""
        name, given = _tagged(typed, "command-name"), _tagged(typed, "command-args")
        yield _prompt(command, f"{' '.join(f'{name} {given}'.split())}\n\n{text}".strip())


def _prompt(record: Mapping[str, Any], text: str) -> Event:
    uuid, prompt_id = text_field(record, "uuid"), text_field(record, "promptId")
    session = text_field(record, "forkedFrom", "sessionId")
    former = turn_id(HOST, session or text_field(record, "sessionId"), uuid)  # as earlier versions of this import named it
    return Event(
        EventKind.PROMPT,
        text=text,
        at_ms=at_ms(record.get("timestamp")),
        event_id=prompt_id or uuid,
        session_id=session,
        same_as=(former,) if prompt_id and uuid else (),
    )


def _block_events(record: Mapping[str, Any], blocks: Sequence[Any]) -> Iterator[Event]:
    when = at_ms(record.get("timestamp"))
    for block in blocks:
        kind = block.get("type") if isinstance(block, dict) else None
        if kind == "text" and record["type"] == "assistant":
            yield Event(EventKind.ANSWER, text=str(block.get("text") or ""), at_ms=when)
        elif kind == "tool_use":
            arguments = expect(dict, block.get("input", {}), "`input`")
            yield Event(EventKind.CALL, tool=str(block.get("name")), arguments=arguments, call_id=str(block.get("id")), at_ms=when)
        elif kind == "tool_result":
            text = text_of(block.get("content")).replace("<tool_use_error>", "").replace("</tool_use_error>", "")
            failed = bool(block.get("is_error"))
            yield Event(EventKind.RESULT, text=text, call_id=str(block.get("tool_use_id")), failed=failed, at_ms=when)


def _texts(blocks: Sequence[Any]) -> list[str]:
    return [str(block.get("text") or "") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]


def _prompt_of(texts: Sequence[str]) -> str:
    """Return what a person wrote: the text blocks of one line are one prompt, those the program put in are none of it."""
    return "\n".join(text for text in texts if is_prompt(text))


def _tagged(text: str, tag: str) -> str:
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0].strip()
