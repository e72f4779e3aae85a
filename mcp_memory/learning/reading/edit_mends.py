"""How an edit that was refused went through at the same place: indented otherwise, with more lines, with the missing name. Pure."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mcp_memory.domain.edit_arguments import PAIRS, path_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.edits import FILE_HEAD, MARKERS, lines_shown, pieces
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.views.fixes import MAX_STEPS_LATER

MAX_LINE_CHARS = 80  # of a line that is told
NEAR = 3  # lines between two ranges that are one place
SAME_TEXT = 0.75  # of the lines of a refused text, from which another one is the same text, or the same place
_RANGE = re.compile(r"\s*(\d+):(\d+)\s*")
_RANGES = (("start_line", "end_line"), ("startLine", "endLine"), ("line_start", "line_end"), ("from_line", "to_line"), ("start", "end"))
_WRITTEN = ("text", "new_content", "content", "replacement", "code")
_UNKNOWN_NAME = re.compile(r"\b(?:undefined|not defined|undeclared|unresolved|cannot find|can't find|unknown)\b", re.I)
_WORDS = "import|from|def|class|for|with|as|let|const|var|fn|func|function|use|using|include"
_GIVES = r"\b(?:{words})\b.*\b{name}\b|(?:^|,\s*){name}\b[^=]*=(?!=)"


class Kind(enum.StrEnum):
    """What was different in the edit that went through."""

    GIVEN = "given"  # the name that was missing
    INDENTED = "indented"
    MORE = "more"  # lines replaced
    FEWER = "fewer"
    OTHER = "other"


class Mend(NamedTuple):
    """`by` is the edit that went through, `now` and `then` what it had and what the refused one had."""

    kind: Kind
    by: int
    now: str = ""
    then: str = ""


@dataclass(frozen=True, slots=True)
class RefusedEdit:
    """An edit as it was asked for: the lines it was to write, and where; `first` and `last` are 0 where it says by its old text where."""

    path: str
    first: int
    last: int
    old: tuple[str, ...]
    text: tuple[str, ...]

    @classmethod
    def of(cls, step: Step) -> "RefusedEdit | None":
        """Read it off a call, None where this is no edit of a place in a file."""
        arguments = step.arguments
        head = FILE_HEAD.search(step.observation)
        path = path_in(arguments) or (head[1] if head else "")
        pair = next(
            ((arguments[a], arguments[b]) for a, b in PAIRS if isinstance(arguments.get(a), str) and isinstance(arguments.get(b), str)),
            None,
        )
        if pair is not None:
            return cls(path, 0, 0, _lines(pair[0]), _lines(pair[1]))
        text = next((arguments[name] for name in _WRITTEN if isinstance(arguments.get(name), str)), None)
        span = _span(step)
        return cls(path, *span, (), _lines(text)) if text is not None and span else None

    @property
    def is_flush(self) -> bool:
        """Whether the text begins at the margin."""
        return bool(self.text) and indent_of(self.text[0]) == 0

    def is_like(self, other: "RefusedEdit") -> bool:
        """Return whether another edit is of the same kind: at the head of a file or within it, its text at the margin or not."""
        return (self.first == 1) is (other.first == 1) and self.is_flush is other.is_flush and bool(self.old) is bool(other.old)

    def is_same_place(self, other: "RefusedEdit") -> bool:
        """Return whether another edit is of the same lines, or of lines around or among them."""
        if self.path and other.path and self.path != other.path:
            return False
        if self.old and other.old:
            return _shared(self.old, other.old) >= SAME_TEXT * min(len(self.old), len(other.old))
        return bool(self.first and other.first) and other.first <= self.last + NEAR and self.first <= other.last + NEAR


def mend_of(steps: Sequence[Step], failed: int) -> Mend | None:
    """Return how the refused edit of that index went through within a few steps; None where it did not.

    >>> def edit(span, text, error=None): return Step("edit", "", {"args": span, "text": text}, "[File: /a.py (9)]", error=error)
    >>> mend_of([edit("4:5", "if x:\\n    go()", "E999 unexpected indent"), edit("4:5", "    if x:\\n        go()")], 0)
    Mend(kind=<Kind.INDENTED: 'indented'>, by=1, now='4', then='0')
    >>> mend_of([edit("4:5", "    go()", "E999 expected an indented block"), edit("3:5", "    if x:\\n        go()")], 0)[2:]
    ('3:5', '4:5')
    >>> mend_of([edit("1:1", "copy(x)", "F821 undefined name 'copy'"), edit("1:1", "from copy import copy\\ncopy(x)")], 0)[2:]
    ('from copy import copy', 'copy')
    """
    refused = RefusedEdit.of(steps[failed])
    if refused is None:
        return None
    for k in range(failed + 1, min(len(steps), failed + 1 + MAX_STEPS_LATER)):
        if steps[k].failed or steps[k].key != steps[failed].key:
            continue
        landed = RefusedEdit.of(steps[k])
        if landed is not None and landed.is_same_place(refused):
            return _difference(refused, landed, message_of(steps[failed]), k)
    return None


def own_place(steps: Sequence[Step], failed: int) -> tuple[int, int, int] | None:
    """Return the first line that the edit of that index was to replace, how far it is indented, and how far the text is.

    None where the file's line was not shown.
    """
    edit = RefusedEdit.of(steps[failed])
    if edit is None or not edit.first or not edit.text:
        return None
    shown = lines_shown(steps[:failed], edit.path, edit.first, edit.first) or _left(steps[failed], edit.first)
    return (edit.first, indent_of(shown), indent_of(edit.text[0])) if shown and shown.strip() else None


def indent_of(line: str) -> int:
    """Return by how many columns a line is indented."""
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def _difference(refused: RefusedEdit, landed: RefusedEdit, message: str, by: int) -> Mend:
    """Return what was different; a text at the margin is first of all indented, another one is so only where it replaces the same lines."""
    if given := _given(refused, landed, message):
        return Mend(Kind.GIVEN, by, *given)
    indented = _indented(refused.old, landed.old) or _indented(refused.text, landed.text)
    if refused.old:
        (a, b), (c, d) = (1, len(refused.old)), (1, len(landed.old))
        now, then = f"{d} lines", f"{b}"
    else:
        (a, b), (c, d) = (refused.first, refused.last), (landed.first, landed.last)
        now, then = f"{c}:{d}", f"{a}:{b}"
    is_moved = (a, b) != (c, d)
    if indented and (refused.is_flush or not is_moved):
        return Mend(Kind.INDENTED, by, *map(str, indented))
    if is_moved and c <= a and d >= b:
        return Mend(Kind.MORE, by, now, then)
    return Mend(Kind.FEWER, by, now, then) if is_moved and c >= a and d <= b else Mend(Kind.OTHER, by)


def _given(refused: RefusedEdit, landed: RefusedEdit, message: str) -> tuple[str, str] | None:
    """Return the line that gives the name which was unknown, and that name."""
    names = [name for name in quoted_in(message) if name.isidentifier()] if _UNKNOWN_NAME.search(message) else []
    before = {line.strip() for line in refused.text}
    for name in names:
        gives = re.compile(_GIVES.format(words=_WORDS, name=re.escape(name)))
        for line in landed.text:
            if line.strip() not in before and gives.search(line.strip()):
                return shorten(line.strip(), MAX_LINE_CHARS), name
    return None


def _indented(before: Sequence[str], after: Sequence[str]) -> tuple[int, int] | None:
    """Return how far the same text is indented now, and how far it was; None where it is another text, or indented as it was."""
    there = {line.strip(): indent_of(line) for line in reversed(after)}
    pairs = [(there[line.strip()], indent_of(line)) for line in before if line.strip() in there]
    if not pairs or len(pairs) < SAME_TEXT * len(before):
        return None
    return next((pair for pair in pairs[:1] if pair[0] != pair[1]), None)


def _shared(a: Sequence[str], b: Sequence[str]) -> int:
    known = {line.strip() for line in a}
    return len(known & {line.strip() for line in b})


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for piece in pieces(text) for line in piece if line.strip() and line.strip() not in MARKERS)


def _left(step: Step, line: int) -> str | None:
    """Return what a line says in the file that a refusal shows last: beside the file as it would have been, the file as it is."""
    shown = step.observation.split("[File: ")[2:]
    found = re.search(rf"^{line}:(.*)$", shown[-1], re.M) if shown else None
    return found[1] if found else None


def _span(step: Step) -> tuple[int, int] | None:
    for value in step.arguments.values():
        if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
            return int(found[1]), int(found[2])
    for first, last in _RANGES:
        a, b = step.arguments.get(first), step.arguments.get(last)
        if isinstance(a, int) and isinstance(b, int) and not isinstance(a, bool) and not isinstance(b, bool):
            return a, b
    return None
