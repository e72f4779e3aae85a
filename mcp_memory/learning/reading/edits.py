"""The edits that a step's arguments and answer tell of: the file, what stood there and what stands there now, as it was written. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.edit_arguments import PAIRS, SEVERAL, WHOLE, edited_parts, path_in
from mcp_memory.domain.episode import Step

_RANGE = re.compile(r"\s*(\d+):(\d+)\s*")
FILE_HEAD = re.compile(r"\[File: (\S+) \(")  # in the answer of an editor
_HEREDOC = re.compile(r"(?:cat|tee)\s.*?>\s*([^\s;&|<'\"]+)|<<\s*['\"]?\w+['\"]?\s*>\s*([^\s;&|<'\"]+)")
_OF_EDITS = frozenset(["text", *SEVERAL, *(old for old, _ in PAIRS)])  # arguments, one of which every edit has
_OF_FILES = frozenset(WHOLE)
MARKERS = frozenset(["end_of_edit"])  # an editor's own line that ends the text it is given
_PATCHED = re.compile(r"^(?:diff --git a/\S+ b/|\*\*\* (?:Update|Add) File: )", re.M)
_HUNK = re.compile(r"^@@(?: -\d+(?:,\d+)? \+(\d+))?")
_NUMBER = re.compile(r"[0-9]{1,9}")
_NEW_FILE = re.compile(r"^new file mode|^--- /dev/null", re.M)
_LEFT_OUT = re.compile(
    r"(?:\.{3}|…)?\s*\[…?[\d,]+\+? (?:chars|characters|lines)\b[^\]]*\]|\[(?:…|\.{3})?\s*(?:truncated|omitted)\b[^\]]*\]", re.I
)  # where a log was cut
DIFF = "diff --git "
NEXT = " ⏎ "  # between lines that are told on one
LIKE_LINES = 0.6  # of two lines, from which one took the other's place
GAP = "…"  # a line in the place of lines that are left out, of a text that is told
_REFUSED = re.compile(
    r"\s*(?:(?:/\S*/)?(?:ba|z)?sh: (?:line \d+: )?|no (?:replacements?|changes?|edits?|match(?:es)?) |command failed|error\b|"
    r"(?:the )?(?:old_str|old_string|string to replace|text to replace)\b.{0,300}?(?:not found|not appear|no match))",
    re.I | re.S,
)  # of the answer to an edit that did not land, although its call was not marked as failed


@dataclass(frozen=True, slots=True)
class Edit:
    """A text that took another's place; `line` is that of its beginning, 0 where it is not known."""

    path: str
    line: int
    before: str | None  # None: nobody has shown what stood there
    after: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that went and those that came in their place, with their indentation; `line` is where those stand that came, 0 if unknown."""

    line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]
    is_sure: bool = True  # False: some of those that came may have stood there before


@dataclass(frozen=True, slots=True)
class Patched:
    """A file in a patch or a diff."""

    path: str
    hunks: tuple[Hunk, ...]
    is_new: bool
    is_whole: bool = True  # False: a part of it was left out


def edits_of(steps: Sequence[Step], index: int) -> list[Edit]:
    """Return the edits of the step of that index that give both texts, or the lines they replace; none where the call failed.

    Args:
        steps: Of the episode from its beginning: what lines said before is looked up in earlier answers.
        index: The step's position.
    """
    step = steps[index]
    if _OF_EDITS.isdisjoint(step.arguments) or step.failed or _REFUSED.match(step.observation):
        return []
    return _pairs(step) or [edit for edit in (_range(steps, index),) if edit]


def _pairs(step: Step) -> list[Edit]:
    return [
        Edit(path, 0, _written(before), _written(after))
        for path, pair in edited_parts(step.arguments)
        if path
        for old, new in PAIRS
        if isinstance(before := pair.get(old), str) and isinstance(after := pair.get(new), str) and before != after
    ]


def _range(steps: Sequence[Step], index: int) -> Edit | None:
    """Read an edit of a range of lines: `102:102` and a text; what they said before is in what was shown of the file."""
    step = steps[index]
    text = step.arguments.get("text")
    if not isinstance(text, str):
        return None
    span, head = _RANGE.fullmatch(str(step.arguments.get("args", ""))), FILE_HEAD.match(step.observation)
    if not span or not head:
        return None
    first, last = int(span[1]), int(span[2])
    return Edit(head[1], first, lines_shown(steps[:index], head[1], first, last), _written(text))


def _written(text: str) -> str:
    """Return a text without the lines that an editor takes as its end."""
    if not any(marker in text for marker in MARKERS):
        return text
    return "\n".join(line for line in text.split("\n") if line.strip() not in MARKERS)


def lines_shown(steps: Sequence[Step], path: str, first: int, last: int) -> str | None:
    """Return what the lines of a file said when they were last shown; None when they were not."""
    for step in reversed(steps):
        if step.observation.startswith(f"[File: {path} ") and f"\n{first}:" in step.observation:
            numbered = (line.partition(":") for piece in pieces(step.observation) for line in piece)
            lines = {int(number): rest for number, colon, rest in numbered if colon and _NUMBER.fullmatch(number)}
            if all(number in lines for number in range(first, last + 1)):
                return "\n".join(lines[number] for number in range(first, last + 1))
    return None


def line_shown(steps: Sequence[Step], path: str, number: int) -> str | None:
    """Return what one line of a file said when it was last shown; None when it was not."""
    for step in reversed(steps):
        if step.observation.startswith(f"[File: {path} ") and (found := re.search(rf"^{number}:(.*)$", step.observation, re.M)):
            return found[1]
    return None


def lines_asked(steps: Sequence[Step], path: str, first: int, last: int) -> str | None:
    """Return what the lines say that the last step was to replace: as its refusal shows them, behind what it would make, else before."""
    heads = [found for found in FILE_HEAD.finditer(steps[-1].observation) if found[1] == path]
    kept = steps[-1].observation[heads[-1].end() :] if len(heads) > 1 else ""
    numbered = (line.partition(":") for piece in pieces(kept) for line in piece)
    lines = {int(number): rest for number, colon, rest in numbered if colon and _NUMBER.fullmatch(number)}
    if lines and all(number in lines for number in range(first, last + 1)):
        return "\n".join(lines[number] for number in range(first, last + 1))
    return lines_shown(steps[:-1], path, first, last)


def pieces(text: str) -> list[tuple[str, ...]]:
    """Return the whole lines of a text, apart what stands before and after each place where some was left out by who kept it.

    >>> pieces("a\\nb = \\n...[20 chars cut]...\\n(c)\\nd"), pieces("a\\nb")
    ([('a',), ('d',)], [('a', 'b')])
    """
    lines = text.splitlines()
    cuts = [i for i, line in enumerate(lines) if _LEFT_OUT.search(line)] if "[" in text else []
    starts, ends = [0, *(i + 2 for i in cuts)], [*(max(0, i - 1) for i in cuts), len(lines)]
    return [tuple(lines[start:end]) for start, end in zip(starts, ends, strict=True)]


def with_gaps(lines: Iterable[str], keep: Callable[[str], bool]) -> list[str]:
    """Return the lines that are to be kept, with a `GAP` where some between them are not.

    >>> with_gaps("abcd", lambda line: line in "bd")
    ['b', '…', 'd']
    """
    kept: list[str] = []
    is_open = False
    for line in lines:
        if line == GAP or not keep(line):
            is_open = bool(kept)
            continue
        kept += [GAP, line] if is_open else [line]
        is_open = False
    return kept


def lines_seen(steps: Sequence[Step], path: str) -> frozenset[str]:
    """Return the lines of a file that were shown before, wherever they stood, blanks taken as one."""
    shown = (step.observation for step in steps if step.observation.startswith(f"[File: {path} "))
    numbered = (line.partition(":") for text in shown for piece in pieces(text) for line in piece)
    return frozenset(" ".join(rest.split()) for _, colon, rest in numbered if colon)


def lines_kept(steps: Sequence[Step], path: str) -> frozenset[str]:
    """Return the lines of a file that answers to edits that were refused show as still there, behind what those would have made of it."""
    answers = (step.observation for step in steps if step.failed)
    shown = [(text, [found for found in FILE_HEAD.finditer(text) if found[1] == path]) for text in answers]
    behind = (text[heads[-1].end() :] for text, heads in shown if len(heads) > 1)
    numbered = (line.partition(":") for text in behind for piece in pieces(text) for line in piece)
    return frozenset(" ".join(rest.split()) for number, colon, rest in numbered if colon and number.isdigit())


def patched_by(step: Step) -> list[Patched]:
    """Return the files in a patch among the arguments, or in a diff in the answer."""
    texts = [text for text in step.arguments.values() if isinstance(text, str) and "*** " in text]
    if DIFF in step.observation:
        texts.append(step.observation)
    return [patched for text in texts for patched in _in_patch(text)]


def _in_patch(text: str) -> Iterator[Patched]:
    starts = [*_PATCHED.finditer(text)]
    for start, end in pairwise([*starts, None]):
        assert start is not None  # only the last one of all is
        path, _, body = text[start.end() : end.start() if end else len(text)].partition("\n")
        head = body.partition("\n@@")[0]  # behind a cut the heading of another file may stand
        is_new = "Add File" in start[0] or _NEW_FILE.search(head) is not None
        if path.strip() and (hunks := tuple(_hunks(body))):
            yield Patched(path.strip(), hunks, is_new, len(pieces(body)) == 1)


def _hunks(body: str) -> Iterator[Hunk]:
    """Yield the hunks up to the first place where some was left out, what came there with a `GAP` at its end."""
    whole, *others = pieces(body)  # what follows a cut may be of a file whose heading was cut away
    at, removed, added = 0, list[str](), list[str]()  # `at`: the number that the next line has
    for i, line in enumerate([*whole, " "]):
        if line[:1] in "-+" and line and not line.startswith(("+++", "---")):
            (removed if line[0] == "-" else added).append(line[1:])
            continue
        if removed or added:
            added += [GAP] if others and i == len(whole) else []
            yield Hunk(at, tuple(removed), tuple(x for x in added if x.strip() not in MARKERS))
            at += len(added) if at else 0
            removed, added = [], []
        if found := _HUNK.match(line):
            at = int(found[1] or 0)
        elif at:
            at += 1


def written_by(step: Step) -> str:
    """Return the path of the file that a step writes as a whole, "" where it writes none."""
    command = command_in(step.arguments)
    if command and (found := _HEREDOC.search(command.split("\n", 1)[0])):
        return found[1] or found[2]
    if _OF_FILES.isdisjoint(step.arguments) or not any(isinstance(step.arguments.get(name), str) for name in WHOLE):
        return ""
    return path_in(step.arguments)
