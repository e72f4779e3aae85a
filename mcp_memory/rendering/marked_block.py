"""A block of ours between markers in somebody's file, such as an AGENTS.md: put, replaced, taken out again without a trace."""

from dataclasses import dataclass
from pathlib import Path

from mcp_memory import plain_files
from mcp_memory.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Markers:
    """The lines before and after a block, and what the block is called."""

    begin: str
    end: str
    name: str


GUIDE = Markers(
    "<!-- begin mcp-memory guide: written by `mcp-memory teach --write`, replaced by the next -->", "<!-- end mcp-memory guide -->", "guide"
)
LESSONS = Markers(
    "<!-- begin mcp-memory lessons: put here on a page of `mcp-memory ui`, and taken out there -->",
    "<!-- end mcp-memory lessons -->",
    "lessons",
)


def put(path: Path, block: str, markers: Markers, within: Path | None = None) -> str:
    """Put *block* between the markers of a file, or take them out when it is empty, and return what was done.

    Raises InvalidInput, with nothing changed: the file is not UTF-8, no plain file, or has one marker without the other.
    """
    path = plain_files.real_path(path, within)
    old = text_of(path, within)
    new = with_block(old or "", block, markers)
    if new == (old or ""):
        return f"{path}: nothing to change"
    if old is not None and not new:
        plain_files.remove(path, [], within)
        return f"{path}: removed, it held the {markers.name} alone"
    plain_files.write(path, new.encode("utf-8"), within)
    verb = "were" if markers.name.endswith("s") else "was"
    return f"{path}: the {markers.name} {verb} {'written' if block else 'taken out'}"


def text_of(path: Path, within: Path | None = None) -> str | None:
    """Return a file's text, None when there is none. Raises InvalidInput: it is not UTF-8, or no plain file."""
    found = plain_files.read(plain_files.real_path(path, within), within)
    try:
        return None if found is None else found.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8", hint="Nothing was changed.") from error


def block_in(text: str, markers: Markers) -> str:
    """Return what stands between the markers, "" without them. Raises InvalidInput as `with_block` does."""
    start, end = _places(text, markers)
    return "" if start < 0 else text[start + len(markers.begin) : end].strip("\n")


def with_block(text: str, block: str, markers: Markers) -> str:
    """Return *text* with *block* between the markers instead of what was there; without markers when it is empty.

    Doing it twice is doing it once, and an empty block gives back what was there before the first.

    Raises InvalidInput: one marker without the other, or in the wrong order.

    >>> once = with_block("# Rules\\n", "- a", GUIDE)
    >>> with_block(once, "- a", GUIDE) == once, with_block(once, "", GUIDE)
    (True, '# Rules\\n')
    """
    start, end = _places(text, markers)
    inert = block.replace(markers.begin, "").replace(markers.end, "")
    new = f"{markers.begin}\n{inert.strip()}\n{markers.end}\n" if block else ""
    if start < 0:
        return f"{text}{_gap(text)}{new}" if new else text
    before, after = text[:start], text[end + len(markers.end) :].removeprefix("\n")
    if not new:
        before = before.removesuffix("\n") if before.endswith("\n\n") else before
    return f"{before}{new}{after}"


def _places(text: str, markers: Markers) -> tuple[int, int]:
    start, end = text.find(markers.begin), text.find(markers.end)
    if (start < 0) != (end < 0) or end < start:
        raise InvalidInput(
            f"the file has one marker of the {markers.name} without the other", hint="Nothing was changed. Mend or remove the markers."
        )
    return start, end


def _gap(text: str) -> str:
    return "" if not text else "\n" if text.endswith("\n") else "\n\n"
