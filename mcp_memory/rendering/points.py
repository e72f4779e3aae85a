"""What is told of recalled episodes, each thing once in an answer: attempts at one task share most of what they met. Pure, of wire data."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mcp_memory.domain.text import shorten_middle, shorten_quotes
from mcp_memory.rendering.neutralise import neutral

SENTENCE_CHARS = 200  # of a lesson
STEP_CHARS, MIN_CALL_CHARS = 160, 60  # of a key step; what its call keeps where the answer to it is long
MIN_TELLING_CHARS = 40  # of an error: a shorter one (`exit 1`) may be another error
_ARROW = " → "
_FAILED = re.compile("(?:error|timeout): ")
_NUMBER = re.compile(r"^#\d+ ")
_STEPS = re.compile(r", last tried: .*| ?\(steps? [^)]*\)?")
_QUOTED = re.compile("`([^`]+)`")
Row = Mapping[str, Any]


class Point(NamedTuple):
    """One thing that an episode tells; *key* is the same where two episodes tell the same."""

    key: str
    text: str


def flat(text: str) -> str:
    """Return stored text on one line, harmless to look at; the same object where it is so already."""
    if text.isascii() and text.isprintable() and "  " not in text:  # most texts; nothing printable in ASCII but the blank is white
        return text.strip()
    return " ".join(neutral(text).split())


def told_once(episodes: Sequence[Row], tasks: Sequence[str]) -> Iterator[list[str]]:
    """Yield for each episode what no episode before it told, as lines; what several attempts at its task tell says how many.

    Args:
        episodes: The rows of an answer, in their order.
        tasks: Of each, the task; equal for attempts at one task.
    """
    points = [_points(episode) for episode in episodes]
    attempts = Counter(tasks)
    shared = Counter((task, point.key) for task, row in zip(tasks, points, strict=True) for point in row)
    said: set[str] = set()
    for task, row in zip(tasks, points, strict=True):
        lines = []
        for key, text in row:
            if key not in said:
                times = shared[task, key]
                lines.append(f"  {text} (in {times} of {attempts[task]} attempts)" if times > 1 else f"  {text}")
        said.update(point.key for point in row)
        yield lines


def _points(episode: Row) -> list[Point]:
    """Return what an episode tells: its summary and lessons, then the key steps that these do not tell already."""
    sentences = [flat(text) for text in (episode.get("summary") or "", *episode.get("lessons", ())) if text]
    points = {key: Point(key, f"- {shorten_quotes(text, SENTENCE_CHARS)}") for text in reversed(sentences) if (key := _STEPS.sub("", text))}
    points = dict(reversed(points.items()))
    met: list[tuple[str, str]] = []  # errors with what met them
    for step in map(flat, episode.get("key_steps", ())):
        call, _, answer = _NUMBER.sub("", step).partition(_ARROW)
        key = f"{call}{_ARROW}{answer}"
        if failed := _FAILED.match(answer):
            error, tool = answer[failed.end() :], call.partition(" ")[0]
            key = f"{call}{_ARROW}{error.partition('. ')[0]}"
            if any(_tells(sentence, tool, error) for sentence in sentences) or (tool, error) in met:
                continue
            if len(error) >= MIN_TELLING_CHARS:
                met.append((tool, error))
        points.setdefault(key, Point(key, _step(step)))
    return list(points.values())


def _tells(sentence: str, tool: str, error: str) -> bool:
    """Return whether a sentence quotes this error of this tool; either may be cut."""
    begins = error.partition("…")[0]
    quotes = [quote.partition("…")[0] for quote in _QUOTED.findall(sentence)] if f" in {tool} " in sentence else []
    return any(begins.startswith(quote) or (begins != error and quote.startswith(begins)) for quote in quotes)


def _step(step: str) -> str:
    """Return a key step that fits: its call is cut in the middle, then an error in the middle or what else came back at its end."""
    if len(step) <= STEP_CHARS:
        return step
    call, _, answer = step.partition(_ARROW)
    call = shorten_middle(call, max(MIN_CALL_CHARS, STEP_CHARS - len(_ARROW) - len(answer)))
    room = STEP_CHARS - len(call) - len(_ARROW)
    return f"{call}{_ARROW}" + (shorten_middle(answer, room) if _FAILED.match(answer) else cut(answer, room))


def cut(text: str, max_chars: int) -> str:
    """Return stored text on one line of at most *max_chars*, with an ellipsis where it goes on."""
    line = flat(text)
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"
