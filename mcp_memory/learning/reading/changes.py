"""What a step changed: the file, the line and the first words that differ, read off its arguments and earlier answers. Pure."""

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.edit_arguments import WHOLE
from mcp_memory.domain.episode import Step
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.code_lines import HEADING, statements
from mcp_memory.learning.reading.documents import documents_in
from mcp_memory.learning.reading.edits import (
    GAP,
    LIKE_LINES,
    NEXT,
    Patched,
    edits_of,
    lines_seen,
    patched_by,
    pieces,
    with_gaps,
    written_by,
)
from mcp_memory.learning.reading.likeness import MAX_CHARS

MAX_LINE = 100  # characters of a line that is shown
FEW_LINES = 3  # of a file written as a whole, up to which they are the change, as in `.npmrc`
_MAX_DIFFED = 400  # lines of a text that is compared with another
_MAX_PAIRED = 30  # lines of each side among which one is looked for that took another's place
# Names of files that were made to try something out, wherever they are; `reproject.py` is none.
TRIED = r"[^/]*(?:reproduc|replicat|scratch|repro(?![a-z]))[^/]*|test_(?:issue|bug|repro|script|fix)[^/]*"
_SCRATCH = re.compile(
    rf"(?:^|/)(?:tmp/[^/]+|{TRIED})$"  # what lies deeper in /tmp may be somebody's repository
    r"|^/?(?:[^/]+/)?(?:debug|temp|tmp|demo|check|verify|example)(?![a-z])[^/]*$",  # further down such a name is a module's
    re.I,
)
_Lines = tuple[str, tuple[str, ...]]  # the first that says something, and those after it


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one file; `line` is 0 where it is not known."""

    path: str
    line: int
    removed: str
    added: str
    then: tuple[str, ...] = field(default=(), compare=False)  # the lines that came after the first, `GAP` where some between are left out
    more_went: bool = field(default=False, compare=False)  # other lines than the one in `removed`, too
    is_sure: bool = field(default=True, compare=False)  # False: some of those that came may have stood there before
    more_above: bool = field(default=False, compare=False)  # came above the one in `added`, which took the place of that in `removed`

    @property
    def says_what(self) -> bool:
        """Whether it says what was changed: of a file written as a whole there is only the name; comments and headings say nothing."""
        lines = (self.added, *self.then) if self.added else (self.removed,)
        return self.removed != self.added and any(line and line != GAP and not HEADING.match(line) for line in lines)

    @property
    def is_scratch(self) -> bool:
        """Whether the file's name says that it was made to try something out."""
        return is_scratch(self.path)

    def __str__(self) -> str:
        """`admin_modify.py:102: + and has_add_permission`, the file by the end of its path; an ellipsis where that is not all."""
        return f"{self._of(self._name)}{f'{NEXT}{GAP}' if self.then else ''}"

    @property
    def _name(self) -> str:
        return "/".join(self.path.split("/")[-2:])

    def _of(self, path: str) -> str:
        came = "+" if self.is_sure else "now"
        gone = f"- {shorten(self.removed, MAX_LINE)}{f'{NEXT}{GAP}' if self.more_went else ''}" if self.removed else ""
        above = f"{GAP}{NEXT}" if self.more_above else ""
        parts = [gone, f"{came} {above}{shorten(self.added, MAX_LINE)}" if self.added else ""]
        where = path + (f":{self.line}" if self.line else "")
        return f"{where}: {' '.join(filter(None, parts))}" if any(parts) else where

    def told(self, max_chars: int) -> str:
        """Return what stands behind the file's name: of one that is written as a whole its few lines."""
        told = shorten(NEXT.join([self._of(""), *self.then]), max_chars)
        return told if self.added or self.removed else ""


def is_scratch(path: str) -> bool:
    """Return whether a file's name says that it was made to try something out.

    >>> [is_scratch(p) for p in ("repo/bug_reproduction.py", "/tmp/x.py", "test_issue_1.py", "app/check_it.py")]
    [True, True, True, True]
    >>> [is_scratch(p) for p in ("tests/test_cart.py", "geo/reproject.py", "/tmp/shop/cart.py", "shop/checkout.py", "app/templates.py")]
    [False, False, False, False, False]
    """
    return _SCRATCH.search(path) is not None


def change_of(steps: Sequence[Step], index: int) -> Change | None:
    """Return what the step of that index changed; None where it failed, changed nothing, or does not tell.

    Args:
        steps: Of the episode from its beginning: what a line said before is looked up in earlier answers.
        index: The step's position.
    """
    step = steps[index]
    if step.failed:
        return None
    return _edited(steps, index) or _patched(step) or _written(step)


def changes_scratch(steps: Sequence[Step], index: int) -> bool:
    """Return whether the step of that index changed a file whose name says that it was made to try something out, and no other."""
    change = change_of(steps, index)
    return change is not None and change.is_scratch


def _edited(steps: Sequence[Step], index: int) -> Change | None:
    """Read an edit that gives the old text and the new one, or a range of lines and what they say now."""
    edits = edits_of(steps, index)
    if not edits:
        return None
    edit = edits[0]
    new, old = pieces(edit.after), pieces(edit.before or "")
    if edit.before is None or len(new) > 1 or len(old) > 1:
        known = lines_seen(steps[:index], edit.path) | {" ".join(line.split()) for piece in old for line in piece}
        there = new if len(old) == 1 else [new[0][: len(old[0])]]  # what stands behind the cut may have stood there before
        now, then = _in_its_body(*_first_and_rest([line for piece in there for line in (GAP, *piece)], known))
        return Change(edit.path, edit.line + _line_of(now, new[0]) if edit.line else 0, "", now, then, is_sure=False)
    gone, came, above = _paired(*_difference(edit.before, edit.after))
    line = edit.line + _offset(edit.before, edit.after, came[0]) if edit.line else 0
    return _changed(edit.path, line, gone, came, more_above=above)


def _patched(step: Step) -> Change | None:
    """Read a patch among the arguments, or a diff in the answer; a file that is there already before one that is new."""
    found = patched_by(step)
    return min(map(_of_patch, found), key=lambda change: change.is_scratch) if found else None


def _of_patch(patched: Patched) -> Change:
    removed, added = ([line for hunk in patched.hunks for line in (GAP, *getattr(hunk, side))] for side in ("removed", "added"))
    gone, came, above = _paired(_first_and_rest(removed), _first_and_rest(added))
    first = patched.hunks[0].line
    numbered = ((hunk.line + i, text) for hunk in patched.hunks if hunk.line for i, text in enumerate(hunk.added))
    line = next((number for number, text in numbered if " ".join(text.split()) == came[0]), first) if above else first
    return _changed(patched.path, line, gone, came, more_above=above)


def _changed(path: str, line: int, gone: _Lines, came: _Lines, *, more_above: bool) -> Change:
    """Return a change of the lines that went and those that came; of one that took one's place only what differs."""
    went, now = (gone[0], came[0]) if gone[1] else _narrowed(gone[0], came[0])
    return Change(path, line, went, now, came[1], more_went=bool(gone[1]), more_above=more_above)


def _paired(gone: _Lines, came: _Lines) -> tuple[_Lines, _Lines, bool]:
    """Return the lines that went and came from the two on that are most alike, unless the first are, and whether others came above.

    >>> _paired(("if a.size > 1:", ()), ("@cached", ("…", "if a.size > 1 and b:", "c()")))
    (('if a.size > 1:', ()), ('if a.size > 1 and b:', ('c()',)), True)
    """
    went, now = (gone[0], *gone[1][:_MAX_PAIRED]), (came[0], *came[1][:_MAX_PAIRED])
    if not gone[0] or not came[0] or _likeness(gone[0], came[0]):
        return gone, came, False
    pairs = ((i, j) for i in range(len(went)) if went[i] not in now for j in range(len(now)) if now[j] not in went)
    best, i, j = max(((_likeness(went[i], now[j]), -i, -j) for i, j in pairs), default=(0.0, 0, 0))
    if not best:
        return gone, came, False
    others = tuple(line for line in (gone[0], *gone[1]) if line != went[-i])
    return (went[-i], others), (now[-j], came[1][-j:]), j < 0


def _likeness(a: str, b: str) -> float:
    """Return how alike two lines are, 0 where they are not enough for one to have taken the other's place."""
    compared = difflib.SequenceMatcher(None, a[:MAX_CHARS], b[:MAX_CHARS], autojunk=False)
    is_like = compared.real_quick_ratio() >= LIKE_LINES and compared.quick_ratio() >= LIKE_LINES
    return ratio if is_like and (ratio := compared.ratio()) >= LIKE_LINES else 0.0


def _written(step: Step) -> Change | None:
    """Read a file that is written as a whole: of a few lines what it says, of more no line is the change."""
    path = written_by(step)
    if not path:
        return None
    text = next((value for name in WHOLE if isinstance(value := step.arguments.get(name), str)), "")
    lines = text.splitlines() or [line for found in islice(documents_in(command_in(step.arguments)), 1) for line in found.lines]
    said = [line for line in lines if line.strip()]
    now, then = _first_and_rest(said) if len(said) <= FEW_LINES else ("", ())
    return Change(path, 0, "", now, then, is_sure=False)


def _difference(before: str, after: str) -> tuple[_Lines, _Lines]:
    """Return the lines that went and those that came.

    >>> _difference("a = 1\\nb = 2\\nc = 3", "a = 4\\nb = 2\\nc = 5\\nd = 6")
    (('a = 1', ('…', 'c = 3')), ('a = 4', ('…', 'c = 5', 'd = 6')))
    """
    old, new = before.splitlines()[:_MAX_DIFFED], after.splitlines()[:_MAX_DIFFED]
    if len(old) * len(new) < _MAX_DIFFED:
        blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        removed = [line for tag, start, end, _, _ in blocks for line in (old[start:end] if tag != "equal" else [GAP])]
        added = [line for tag, _, _, start, end in blocks for line in (new[start:end] if tag != "equal" else [GAP])]
    else:
        known, there = set(old), set(new)
        removed, added = with_gaps(old, lambda line: line not in there), with_gaps(new, lambda line: line not in known)
    return _first_and_rest(removed), _first_and_rest(added)


def _narrowed(removed: str, added: str) -> tuple[str, str]:
    """Return two lines without the words they begin and end with in common, where what is left still says something."""
    if not removed or not added:
        return removed, added
    old, new = re.findall(r"\w+|[^\w\s]|\s+", removed), re.findall(r"\w+|[^\w\s]|\s+", added)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    gone, came = "".join(old[start : len(old) - end]).strip(), "".join(new[start : len(new) - end]).strip()
    if not gone and len(came) > 3:
        return "", came
    return removed, added


def _first_and_rest(lines: Sequence[str], known: Collection[str] = ()) -> _Lines:
    """Return the first line that says something new, and those after it; where there are statements, no comment and no docstring."""
    said = [" ".join(line.split()) for line in lines if line.strip()]
    telling = list(statements(said))
    telling = telling if any(line != GAP for line in telling) else said
    telling = with_gaps(telling, lambda line: line not in known) or with_gaps(telling, lambda line: line != GAP)
    at = next((i for i, line in enumerate(telling) if not line.startswith(("import ", "from "))), 0)
    return (telling[at], tuple(telling[at + 1 :])) if telling else ("", ())


def _in_its_body(first: str, rest: Sequence[str]) -> _Lines:
    """Return lines from the first within a body on: of which nobody knows what stood there, a heading may have stood there before.

    >>> _in_its_body("def total(self):", ("@cached", "return 2")), _in_its_body("def total(self):", ())
    (('return 2', ()), ('def total(self):', ()))
    """
    lines = (first, *rest)
    at = next((i for i, line in enumerate(lines) if line != GAP and not HEADING.match(line)), 0)
    return lines[at], lines[at + 1 :]


def _line_of(said: str, lines: Sequence[str]) -> int:
    """Return where a line stands among *lines*, from 0; 0 where it does not."""
    return next((i for i, line in enumerate(lines) if " ".join(line.split()) == said), 0)


def _offset(before: str, after: str, said: str) -> int:
    """Return where the line that is told of a change stands in its text, of one that only took lines away where the first of them did."""
    old, new = before.splitlines(), after.splitlines()
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    return start + _line_of(said, new[start:])
