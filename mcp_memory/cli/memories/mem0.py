"""mem0: what `get_all` returns, written as JSON: `{"results": […]}`, or the bare list that earlier versions return."""

from collections.abc import Iterator
from pathlib import Path

from mcp_memory.cli.memories.notes import Episode, notes
from mcp_memory.cli.transcripts.lines import document
from mcp_memory.cli.transcripts.record import TranscriptError, at_ms, expect

NAME = "mem0"
SUFFIXES = (".json",)
_WHOSE = ("user_id", "agent_id", "app_id", "run_id", "actor_id", "role")


def convert(path: Path) -> Iterator[tuple[int, Episode | TranscriptError]]:
    """Yield (place, episode) per memory."""
    try:
        found = document(path)
        memories = expect(list, found.get("results") if isinstance(found, dict) else found, "`results`")
    except TranscriptError as error:
        yield 0, error
        return
    for place, given in enumerate(memories, 1):
        try:
            memory = expect(dict, given, "a memory")
            text = expect(str, memory.get("memory"), "`memory`")
            kept = expect(dict, memory.get("metadata") or {}, "`metadata`")
            whose = {name: memory[name] for name in _WHOSE if memory.get(name)}
            for episode in notes(
                NAME,
                str(memory.get("id") or memory.get("hash") or text),
                text,
                tags=[str(tag) for tag in expect(list, memory.get("categories") or [], "`categories`")],
                begun_ms=at_ms(memory.get("created_at")),
                ended_ms=at_ms(memory.get("updated_at")),
                metadata=kept | whose,
            ):
                yield place, episode
        except TranscriptError as error:
            yield place, error
