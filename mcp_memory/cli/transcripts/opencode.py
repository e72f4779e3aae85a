"""opencode's sessions: tables `session`, `message` and `part` of ~/.local/share/opencode/opencode.db, with JSON in their `data`.

A part of type tool is a call with its state: input, output or error, times, and a shell's exit code. A session with a `parent_id` is a
subagent's: a child of the turn of the parent's that was at work when it began.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from mcp_memory.cli import bounded
from mcp_memory.cli.transcripts.assemble import Assembly
from mcp_memory.cli.transcripts.record import Event, EventKind, Origin, TranscriptError, arguments_of, at_ms, expect
from mcp_memory.cli.transcripts.sessions import Found, chained, session_origin, text_field
from mcp_memory.domain.session_ids import agent_turn

HOST = "opencode"
SUFFIXES = (".db",)
_SESSIONS = "SELECT id, parent_id, directory, version FROM session ORDER BY parent_id IS NOT NULL, time_created, id"
_PARTS = """
    SELECT message.data, part.data, part.time_created, message.id FROM message JOIN part ON part.message_id = message.id
    WHERE message.session_id = ? ORDER BY message.time_created, message.id, part.id
"""


def convert(path: Path) -> Iterator[Found]:
    """Yield (0, episode) per prompt of any session that led to a tool call; rows that cannot be read are problems."""
    try:
        bounded.check_is_file(path)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, bounded.MAX_LINE_BYTES)
            began: dict[str, list[tuple[int, str]]] = {}  # session -> (start, external id) of its episodes
            for session_id, parent_id, directory, version in database.execute(_SESSIONS).fetchall():
                facts = {"id": str(session_id), "cwd": str(directory or ""), "version": str(version or "")}
                yield from _session(database, path, facts, str(parent_id or ""), began)
    except (sqlite3.Error, OSError) as error:
        yield 0, TranscriptError(f"not opencode's database: {bounded.explained(error)}")


def is_part(path: Path) -> bool:
    """Return whether a file below the folder is another database."""
    return not path.name.startswith("opencode")


def _session(
    database: sqlite3.Connection, path: Path, facts: dict[str, str], parent_id: str, began: dict[str, list[tuple[int, str]]]
) -> Iterator[Found]:
    problems: list[Found] = []
    events = _events(database, facts["id"], problems)
    first = next(events, None)
    if first is not None:
        origin = _origin(path, facts, parent_id, first.at_ms, began)
        for episode in Assembly(origin, split=not parent_id).episodes(chained(first, events)):
            if isinstance(episode, dict):
                began.setdefault(facts["id"], []).append((episode["started_at_ms"], episode["external_id"]))
            yield 0, episode
    yield from problems


def _origin(path: Path, facts: dict[str, str], parent_id: str, at_ms: int, began: Mapping[str, list[tuple[int, str]]]) -> Origin:
    if not parent_id:
        return session_origin(HOST, path, facts)
    parents = [external_id for started_at_ms, external_id in began.get(parent_id, ()) if started_at_ms <= at_ms]
    return session_origin(HOST, path, facts, agent_turn=agent_turn(facts["id"]), parent=parents[-1] if parents else "")


def _events(database: sqlite3.Connection, session_id: str, problems: list[Found]) -> Iterator[Event]:
    """Yield the events of a session's parts; a message that was aborted ends with an interruption."""
    aborted = ""  # the message whose parts are read, when it was aborted
    for message_json, part_json, created_ms, message_id in database.execute(_PARTS, (session_id,)):
        if aborted and aborted != message_id:
            yield Event(EventKind.INTERRUPT)
            aborted = ""
        try:
            message = expect(dict, json.loads(message_json), "`message.data`")
            part = expect(dict, json.loads(part_json), "`part.data`")
            found = list(_part_events(message, part, at_ms(created_ms)))
        except (ValueError, TypeError, RecursionError) as error:
            problems.append((0, TranscriptError(f"session {session_id}, message {message_id}: {error}")))
            continue
        if text_field(message, "error", "name") == "MessageAbortedError":
            aborted = message_id
        yield from found
    if aborted:
        yield Event(EventKind.INTERRUPT)


def _part_events(message: Mapping[str, Any], part: Mapping[str, Any], created_ms: int) -> Iterator[Event]:
    kind, text = part.get("type"), text_field(part, "text")
    if kind == "text" and message.get("role") == "user":
        if text.strip() and not part.get("synthetic") and not part.get("ignored"):
            yield Event(EventKind.PROMPT, text=text, at_ms=created_ms)
    elif kind == "text":
        yield Event(EventKind.ANSWER, text=text, at_ms=created_ms)
    elif kind == "tool":
        yield from _tool_events(part, expect(dict, part.get("state"), "`state`"), created_ms)


def _tool_events(part: Mapping[str, Any], state: Mapping[str, Any], created_ms: int) -> Iterator[Event]:
    call_id, status, time = text_field(part, "callID"), text_field(state, "status"), state.get("time")
    started, ended = (at_ms(time.get(name)) for name in ("start", "end")) if isinstance(time, dict) else (0, 0)
    arguments = arguments_of(state.get("input"))
    yield Event(EventKind.CALL, tool=text_field(part, "tool"), arguments=arguments, call_id=call_id, at_ms=started or created_ms)
    if status not in ("completed", "error"):
        return
    metadata = state.get("metadata")
    exit_code = metadata.get("exit") if isinstance(metadata, dict) else None
    text = text_field(state, "output") or text_field(state, "error")
    yield Event(EventKind.RESULT, text=text, call_id=call_id, failed=status == "error" or exit_code not in (None, 0), at_ms=ended)
