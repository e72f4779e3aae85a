"""Files of conversations: a JSON document, or JSON Lines with a conversation or a message a line."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mcp_memory.cli.transcripts.assemble import assemble
from mcp_memory.cli.transcripts.lines import document, values
from mcp_memory.cli.transcripts.record import Event, Origin, TranscriptError


def converted(
    path: Path,
    is_message: Callable[[Any], bool],
    events_of: Callable[[Any], Iterable[Event]],
    origin_of: Callable[[dict[str, Any]], Origin],
) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield (line, episode) per conversation with tool calls.

    *events_of*: what a message tells; raises TranscriptError. *origin_of*: where a conversation comes from.
    """
    for number, conversation in conversations(path, is_message):
        if isinstance(conversation, TranscriptError):
            yield number, conversation
            continue
        try:
            events = [event for message in conversation["messages"] for event in events_of(message)]
        except TranscriptError as error:
            yield number, error
            continue
        for episode in assemble(events, origin_of(conversation), split=False):
            yield number, episode


def conversations(path: Path, is_message: Callable[[Any], bool]) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    """Yield each conversation of the file as an object with `messages`, with the line it stands on."""
    if path.suffix in (".jsonl", ".ndjson"):
        yield from _from_lines(path, is_message)
        return
    try:
        value = document(path)
    except TranscriptError as error:
        yield 0, error
        return
    yield from _from_value(0, value, is_message)


def _from_lines(path: Path, is_message: Callable[[Any], bool]) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    loose: list[Any] = []  # messages that stand on lines of their own: one conversation
    for number, value in values(path):
        if isinstance(value, TranscriptError):
            yield number, value
        elif is_message(value):
            loose.append(value)
        else:
            yield from _from_value(number, value, is_message)
    if loose:
        yield 0, {"messages": loose}


def _from_value(number: int, value: Any, is_message: Callable[[Any], bool]) -> Iterator[tuple[int, dict[str, Any] | TranscriptError]]:
    if isinstance(value, dict):
        for keys in (("messages",), ("input", "output"), ("history",)):
            parts = [value[key] for key in keys if isinstance(value.get(key), list)]
            if parts:
                yield number, value | {"messages": [message for part in parts for message in part]}
                return
    elif isinstance(value, list) and value and is_message(value[0]):
        yield number, {"messages": value}
        return
    elif isinstance(value, list):
        for item in value:
            yield from _from_value(number, item, is_message)
        return
    yield number, TranscriptError("no list of messages here")
