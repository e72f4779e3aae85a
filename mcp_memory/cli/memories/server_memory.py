"""server-memory, the reference server for a knowledge graph: `memory.jsonl` (`memory.json` before), an entity or a relation a line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mcp_memory.cli.memories.notes import Episode, notes
from mcp_memory.cli.transcripts.lines import objects
from mcp_memory.cli.transcripts.record import TranscriptError, expect

NAME = "server-memory"
SUFFIXES = (".json", ".jsonl")


def convert(path: Path) -> Iterator[tuple[int, Episode | TranscriptError]]:
    """Yield (line, episode) per entity, with its observations and what it is related to; then the lines that could not be read."""
    entities: dict[str, tuple[int, dict[str, Any]]] = {}
    relations: dict[str, list[str]] = {}
    problems: list[tuple[int, TranscriptError]] = []
    for number, line in objects(path):
        try:
            if isinstance(line, TranscriptError):
                raise line
            if line.get("type") == "entity":
                entities[expect(str, line.get("name"), "`name`")] = number, line
            elif line.get("type") == "relation":
                ends = [expect(str, line.get(end), f"`{end}`") for end in ("from", "relationType", "to")]
                relations.setdefault(ends[0], []).append(" ".join(ends))
            else:
                raise TranscriptError(f"a line is an entity or a relation, not {line.get('type')!r}")
        except TranscriptError as error:
            problems.append((number, error))
    for name, (number, entity) in entities.items():
        try:
            yield from ((number, episode) for episode in _notes(name, entity, relations.pop(name, [])))
        except TranscriptError as error:
            problems.append((number, error))
    for name, told in relations.items():  # of what has no entity of its own
        yield from ((0, episode) for episode in notes(NAME, name, f"{name}: " + "; ".join(told), facts=told))
    yield from problems


def _notes(name: str, entity: dict[str, Any], relations: list[str]) -> Iterator[Episode]:
    observations = [str(told) for told in expect(list, entity.get("observations") or [], "`observations`")]
    kind = str(entity.get("entityType") or "")
    facts = [*observations, *relations]
    text = f"{name} ({kind}): " if kind else f"{name}: "
    yield from notes(NAME, name, text + "; ".join(facts), facts=facts, tags=[kind], metadata={"entity": name, "entity_type": kind})
