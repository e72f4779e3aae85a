"""What the converters of agent hosts' sessions have in common: events from the lines of one file, then its episodes."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import Assembly
from mcp_memory.cli.transcripts.lines import objects
from mcp_memory.cli.transcripts.record import Event, Origin, TranscriptError, project_of
from mcp_memory.domain.metadata_keys import WORKING_DIR

Found = tuple[int, dict[str, Any] | TranscriptError]  # (line or 0, episode or why there is none)
Facts = dict[str, str]  # what the lines say about the session: id, cwd, branch, version, as far as they came


def session_origin(host: str, path: Path, facts: Mapping[str, str], **more: Any) -> Origin:
    """Return the origin of a host's session from what its first lines said."""
    session_id, cwd = facts.get("id") or path.stem, facts.get("cwd", "")
    known = {WORKING_DIR: cwd, "git_branch": facts.get("branch"), "agent_version": facts.get("version"), "model": facts.get("model")}
    return Origin(
        external_id=f"{host}/{session_id}",
        agent=host,
        project=project_of(cwd, facts.get("remote", "")),
        metadata={name: value for name, value in known.items() if value},
        host=host,
        session_id=session_id,
        **more,
    )


def lines_to_events(
    path: Path, facts: Facts, problems: list[Found], line_events: Callable[[dict[str, Any], Facts], Iterator[Event]]
) -> Iterator[Event]:
    """Yield the events of a file's lines; those that are not of the form go to *problems*."""
    for number, record in objects(path):
        if isinstance(record, TranscriptError):
            problems.append((number, record))
            continue
        try:
            found = list(line_events(record, facts))
        except (TranscriptError, RecursionError) as error:
            problems.append((number, TranscriptError(str(error))))
            continue
        yield from found


def episodes_of_lines(host: str, path: Path, line_events: Callable[[dict[str, Any], Facts], Iterator[Event]]) -> Iterator[Found]:
    """Yield (0, episode) per turn of a session that led to a tool call, then the lines that could not be read."""
    facts: Facts = {}
    problems: list[Found] = []
    events = lines_to_events(path, facts, problems, line_events)
    first = next(events, None)
    if first is not None:
        assembly = Assembly(session_origin(host, path, facts), split=True)
        for episode in assembly.episodes(chained(first, events)):
            yield 0, episode
    yield from problems


def chained(first: Event, rest: Iterator[Event]) -> Iterator[Event]:
    """Yield *first*, then *rest*."""
    yield first
    yield from rest


def text_field(holder: Any, *names: str) -> str:
    """Return the text at the end of a path of names, "" where there is none."""
    for name in names:
        holder = holder.get(name) if isinstance(holder, dict) else None
    return holder if isinstance(holder, str) else ""
