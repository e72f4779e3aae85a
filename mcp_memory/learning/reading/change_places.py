"""The places of a file that a run left changed, each with the lines that are worth telling. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.learning.reading.code_lines import COMMENT, is_bare, is_bodiless, telling
from mcp_memory.learning.reading.edits import GAP, LIKE_LINES, Hunk, with_gaps
from mcp_memory.learning.reading.likeness import likeness

MANY_HITS = 3  # words of the task in one line, from which more make it no nearer
_IMPORTS = re.compile(r"(?:from\s+\S+\s+import|import|#include|using|use|require)\b")
_OPENS = re.compile(r"[:{(\[]$|\b(?:do|then)$")  # a block, at the end of a line
_PARAMETER = re.compile(r"\**\w+ ?(?::[^=]+)?(?:= ?[^\s(]+)?,(?:\s*#.*)?$")  # alone on its line
_REMARK = re.compile(r"\s+(?:#|//) .*$")
_HEADS = re.compile(r"@\w")
_COMMON = re.compile(
    r"(?:[{}()\[\]]*\s*)?(?:else|try|finally|pass|break|continue|return|end|fi|done|esac)?\b\s*[{}()\[\];:,]*$"
)  # lines of many places
_METHOD = re.compile(r"(?:async )?def \w+\((?:self|cls)\b")
_COMMENT = re.compile(COMMENT)
Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a file with the lines that are worth telling."""

    gone: tuple[str, ...]
    came: tuple[str, ...]
    at: tuple[int, ...]  # where those stand that came, where none did those that went; 0 where that is not known
    shift: int = 0  # by how many columns the line moved, where that is all
    hits: int = 0
    is_sure: bool = True
    moved: str = ""  # beside what went and came, a line with its new indentation
    left_class: bool = False  # by its shift
    comment_came: bool = False  # nothing but a comment in the place of what went
    is_left_over: bool = False  # a heading alone, or lines that only changed their place: told where there is room
    is_from_elsewhere: bool = False  # what came stood elsewhere before
    decides: bool = True  # no attempt that ended otherwise has all of it, too
    declares: bool = False  # what came only names a parameter or where something comes from: what is done with it tells more


def bare(line: str) -> str:
    """Return a line without its indentation and the comment behind it.

    >>> bare("    a = 1  # the first")
    'a = 1'
    """
    return _REMARK.sub("", line.strip())


def is_changed(hunk: Hunk, is_plain: bool) -> bool:
    """Return whether a hunk changed code: what was only said otherwise in a comment, or a blank line, is none."""
    gone, came = (telling(lines, is_plain=is_plain) for lines in (hunk.removed, hunk.added))
    gone, came = ([line if is_plain else bare(line) for line in lines if not is_bare(line, is_plain=is_plain)] for lines in (gone, came))
    return gone != came or _moved(hunk, is_plain) is not None


def _stands(lines: Sequence[str], hunk: Hunk, hunks: Sequence[Hunk], side: str, is_plain: bool) -> list[bool]:
    """Return which of the lines stand on that side of the hunk, or in that of another; a common one there only with the one after it."""
    plain = str.strip if is_plain else bare
    own = set(map(plain, getattr(hunk, side)))
    others = {plain(line) for other in hunks for line in getattr(other, side)}
    found = [True]  # behind the last, which may be anything
    for line in reversed(lines):
        said = plain(line)
        found.append(said in own or (said in others and (not _COMMON.match(said) or found[-1])))
    return found[:0:-1]


def place_of(hunk: Hunk, hunks: Sequence[Hunk], words: Words, shared: Words, is_plain: bool) -> Place | None:
    """Return what a hunk tells, None where that is nothing: a comment, a docstring, a heading, blanks, what stands elsewhere now."""
    went, now = (telling(lines, is_plain=is_plain) for lines in (hunk.removed, hunk.added))
    stands, stood = _stands(went, hunk, hunks, "added", is_plain), _stands(now, hunk, hunks, "removed", is_plain)
    gone = with_gaps([GAP if known else line for line, known in zip(went, stands, strict=True)], bool)
    came = _between_new(now, stood)
    came += [GAP] if hunk.added[-1:] == (GAP,) else []
    gone, came = (with_end, []) if came == [GAP] and (with_end := [*gone, GAP]) else (gone, came)
    shifted = _moved(hunk, is_plain)
    if all(is_bare(line, is_plain=is_plain) for line in (*came, *gone)) or (not gone and all(map(is_bodiless, came))):
        return shifted and Place((), (shifted[0],), (hunk.line,), shifted[1], hits_of(shifted[0], words), left_class=shifted[2])
    lines = hunk.added if came else hunk.removed
    numbers = {line.strip(): hunk.line + i for i, line in reversed([*enumerate(lines)])} if hunk.line else {}
    at = tuple(numbers.get(line, 0) for line in (came or gone))
    hits = max(hits_of(line, words) for line in (*came, *gone))
    moved = shift_told(*shifted, told=came) if shifted else _at_margin(hunk)
    decides = not shared or any(line != GAP and bare(line) not in shared for line in (*came, *gone))
    declares = all(map(_declares, came or gone))
    said = [line.strip() for line in hunk.added if line.strip()]
    commented = bool(said) and not came and not is_plain and all(map(_COMMENT.match, said))
    return Place(tuple(gone), tuple(came), at, 0, hits, hunk.is_sure, moved, comment_came=commented, decides=decides, declares=declares)


def left_over(hunk: Hunk, hunks: Sequence[Hunk], words: Words, is_plain: bool) -> Place | None:
    """Return what came in a hunk that `place_of` tells nothing of: a heading alone, as a decorator, lines from elsewhere."""
    lines = [line for line in telling(hunk.added, is_plain=is_plain) if line != GAP and not is_bare(line, is_plain=is_plain)]
    if not lines or not hunk.is_sure:
        return None
    numbers = {line.strip(): hunk.line + i for i, line in reversed([*enumerate(hunk.added)])} if hunk.line else {}
    stood = all(_stands(lines, hunk, hunks, "removed", is_plain))
    hits = max(hits_of(line, words) for line in lines)
    at = tuple(numbers.get(line, 0) for line in lines)
    return Place((), tuple(lines), at, hits=hits, is_left_over=True, is_from_elsewhere=stood)


def _between_new(lines: Sequence[str], stood: Sequence[bool]) -> list[str]:
    """Return the lines from the first to the last that is new, with those between them, and the first of a block that the last opens."""
    new = [i for i in range(len(lines)) if not stood[i]]
    end = new[-1] + 1 + bool(_OPENS.search(_REMARK.sub("", lines[new[-1]]))) if new else 0
    return list(lines[new[0] : end]) if new else []


def _moved(hunk: Hunk, is_plain: bool) -> tuple[str, int, bool] | None:
    """Return the first line that came with another indentation than it had, by how many columns it moved to the right, and whether it is
    of a method that left its class by that.

    That is a line that stands in both, or the only one that took the only one's place; what stands in a block that is opened there, or
    whose opening went, moves with that.
    """
    before, now = ([line for line in lines if telling([line], is_plain=is_plain)] for lines in (hunk.removed, hunk.added))
    stood = {line.strip(): i for i, line in reversed([*enumerate(before)])}
    stands = {line.strip() for line in now}
    if len(before) == len(now) == 1 and _are_like(before[0].strip(), now[0].strip()):
        stood = {now[0].strip(): 0}
    for i, line in enumerate(now):
        at = stood.get(line.strip(), -1)
        shift = _indent(line) - _indent(before[at]) if at >= 0 else 0
        opened = [text.strip() for text in now[:i] if text.strip() not in stood]
        closed = [text.strip() for text in before[:at] if text.strip() not in stands] if at > 0 else []
        if shift and not any(_OPENS.search(_REMARK.sub("", text)) for text in (*opened, *closed)):
            return line.strip(), shift, not _indent(line) and _METHOD.match(line) is not None
    return None


def _at_margin(hunk: Hunk) -> str:
    """Return that a method came at the margin, where its class ends, "" for none; the first line of an edit may begin within its line."""
    if any(map(_METHOD.match, hunk.removed)):
        return ""
    found = next((line.strip() for line in (hunk.added if hunk.line else hunk.added[1:]) if _METHOD.match(line)), "")
    return f"at the margin, out of its class: {found}" if found else ""


def _indent(line: str) -> int:
    text = line.expandtabs()
    return len(text) - len(text.lstrip())


def _are_like(a: str, b: str) -> bool:
    return likeness(a, b) >= LIKE_LINES


def hits_of(line: str, words: Words) -> int:
    """Return how many of the words the code of a line has, -1 for what only says where a name comes from, or heads what is not shown."""
    if _IMPORTS.match(line) or _HEADS.match(line) or line == GAP:
        return -1
    return min(MANY_HITS, sum(word in words for word in distinct_words(_REMARK.sub("", line))))


def _declares(line: str) -> bool:
    """Return whether a line only names a parameter, or where a name comes from.

    >>> [_declares(line) for line in ("mode: str = 'r',  # of the file", "silent=False,", "import os", "with open(name, mode) as f:")]
    [True, True, True, False]
    """
    return line == GAP or bool(_IMPORTS.match(line) or _PARAMETER.match(line))


def shift_told(line: str, by: int, left_class: bool, told: Sequence[str] = ()) -> str:
    """Return that a line moved; which it was, where that is not *told*."""
    moved = f"moved {abs(by)} columns to the {'right' if by > 0 else 'left'}{', out of its class' if left_class else ''}"
    return moved if [*told] == [line] else f"{moved}: {line}"
