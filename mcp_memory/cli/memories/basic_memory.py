"""basic-memory: a Markdown file a note, with front matter, observations (`- [kind] text #tag (context)`), relations (`- kind [[Note]]`)."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mcp_memory.cli import bounded
from mcp_memory.cli.memories.notes import Episode, notes
from mcp_memory.cli.transcripts.record import TranscriptError, at_ms

NAME = "basic-memory"
SUFFIXES = (".md",)
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_OBSERVATION = re.compile(r"^\s*[-*]\s+\[(?![ xX-]\])([^\[\]()]+)\]\s+(.+)$")  # a check box is none
_RELATION = re.compile(r"^\s*[-*]\s+(.*?)\s*\[\[([^\[\]]+)\]\](.*)$")
_HASHTAG = re.compile(r"(?<!\w)#([\w-]+)")
_FENCE = re.compile(r"^\s*(```|~~~)")
_HEADING = re.compile(r"^#{1,6}\s")


def convert(path: Path) -> Iterator[tuple[int, Episode | TranscriptError]]:
    """Yield (0, episode) of a note: its observations and relations are the lessons, in a note without them its paragraphs."""
    try:
        if path.suffix != SUFFIXES[0]:
            raise TranscriptError("a note is a Markdown file, named .md")
        with bounded.opened(path) as (_, file):
            text = file.read(bounded.MAX_LINE_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
        front, body = _parts(text)
    except bounded.UNREADABLE as error:
        yield 0, TranscriptError(bounded.explained(error))
        return
    except TranscriptError as error:
        yield 0, error
        return
    title = str(front.get("title") or path.stem)
    facts, said, tags = [], [], _tags(front.get("tags"))
    for line, is_code in _lines(body):
        if not is_code and (observation := _OBSERVATION.match(line)):
            facts.append(f"{observation[1].strip()}: {observation[2].strip()}")
            tags += _HASHTAG.findall(observation[2])
        elif not is_code and (relation := _RELATION.match(line)):
            facts.append(f"{relation[1].strip() or 'relates_to'} {relation[2].strip()}{relation[3]}".strip())
        elif is_code or not _HEADING.match(line):
            said.append(line)
    prose = re.sub(r"\n{3,}", "\n\n", "\n".join(said)).strip()
    about = {"title": title, "permalink": front.get("permalink"), "type": front.get("type")}
    told = [*facts, *(paragraph for paragraph in prose.split("\n\n") if paragraph.strip())] or [title]
    for episode in notes(
        NAME,
        str(front.get("permalink") or title),
        f"{title}: " + "\n\n".join(part for part in ("; ".join(facts), prose) if part),
        facts=told,
        tags=list(dict.fromkeys(tags)),
        begun_ms=at_ms(_text(front.get("created"))),
        ended_ms=at_ms(_text(front.get("modified"))),
        metadata=about,
    ):
        yield 0, episode


def _parts(text: str) -> tuple[Mapping[str, Any], str]:
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    try:
        front = YAML(typ="safe", pure=True).load(found[1])
    except (YAMLError, ValueError) as error:
        raise TranscriptError(f"its front matter is not YAML: {str(error).splitlines()[0]}") from None
    return front if isinstance(front, dict) else {}, text[found.end() :]


def _lines(body: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it is code: nothing in a fence is read as an observation."""
    is_code = False
    for line in body.splitlines():
        fence = bool(_FENCE.match(line))
        yield line, is_code or fence
        is_code ^= fence


def _tags(given: Any) -> list[str]:
    listed = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else []
    return [str(tag).strip().lstrip("#") for tag in listed]


def _text(moment: Any) -> str:
    return "" if moment is None else str(moment)
