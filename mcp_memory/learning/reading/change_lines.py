"""A change as one line to read: of what went and what came, the lines that tell. Pure.

Code before prose, what the task or an error speaks of before what it does not; a line that stands in both is no change, but where its
indentation is all that differs. A line that is too long is cut around what differs, or around the word that was asked for. Where code was
left out between, before or behind lines that are told, an ellipsis says so, and of places that are not told their number.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.changes import LIKE_LINES, NEXT
from mcp_memory.learning.reading.code_lines import HEADING, has_comments, is_bare, is_bodiless, telling
from mcp_memory.learning.reading.edits import GAP, Hunk, with_gaps
from mcp_memory.learning.reading.left_changed import FileChange
from mcp_memory.learning.reading.work_lines import work_of
from mcp_memory.phrases.words import counted

MAX_LINE_CHARS = 120  # of one line
MIN_CUT_CHARS = 40  # of a line that is cut so that all lines have room
MAX_GONE = 2  # lines that went, of those that are told
MAX_PLACES = 3  # of one file
MIN_ROOM = 60  # characters left for another place
MANY_HITS = 3  # words of the task in one line, from which more make it no nearer
NOT_KEPT = "; the rest was not recorded"
MORE_CHARS = len("; and 00 more places")
_IMPORTS = re.compile(r"(?:from\s+\S+\s+import|import|#include|using|use|require)\b")
_OPENS = re.compile(r"[:{(\[]$|\b(?:do|then)$")  # a block, at the end of a line
_PARAMETER = re.compile(r"\**\w+ ?(?::[^=]+)?(?:= ?[^\s(]+)?,(?:\s*#.*)?$")  # alone on its line
_REMARK = re.compile(r"\s+(?:#|//) .*$")
_HEADS = re.compile(r"@\w")
_METHOD = re.compile(r"(?:async )?def \w+\((?:self|cls)\b")
_LINE_NUMBER = re.compile(r"(?<=:)\d+(?=:)|(?<=; )\d+(?=: )")
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
Words = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of a file with the lines that are worth telling."""

    gone: tuple[str, ...]
    came: tuple[str, ...]
    at: tuple[int, ...]  # where those stand that came, where none did those that went; 0 where that is not known
    shift: int = 0  # by how many columns the line moved, where that is all
    hits: int = 0
    is_sure: bool = True
    moved: str = ""  # beside what went and came, a line with its new indentation
    left_class: bool = False  # by its shift
    declares: bool = False  # what came only names a parameter or where something comes from: what is done with it tells more


def without_line_numbers(told: str) -> str:
    """Return what is told of changes without the numbers of lines, which differ between attempts that did the same.

    >>> without_line_numbers("cart.py:7: + a = 1; 12: + b = 2")
    'cart.py:: + a = 1; : + b = 2'
    """
    return _LINE_NUMBER.sub("", told)


def change_line(change: FileChange, words: Words, max_chars: int) -> str:
    """Return where a file was changed, and the lines that tell what: `cart.py:7: - total + round(total, 2)`; "" where none does.

    Args:
        change: Of the file.
        words: Of the task and its errors, as `distinct_words` gives them: lines with many of them are told first.
        max_chars: Of the whole.
    """
    is_plain = not has_comments(change.path)
    stood, stands = ({line.strip() for hunk in change.hunks for line in getattr(hunk, side)} for side in ("removed", "added"))
    places = [place for hunk in change.hunks if (place := _place(hunk, stood, stands, words, is_plain))]
    places.sort(key=lambda place: (place.declares, -place.hits, -len(place.came) - len(place.gone)))
    told, count = "", 0
    changed = sum(_is_changed(hunk, is_plain) for hunk in change.hunks)
    max_chars -= len(NOT_KEPT) if not change.is_whole else MORE_CHARS if changed > 1 else 0
    for place in places[:MAX_PLACES]:
        room = max_chars - len(told) - (0 if told else len(change.path)) - len(":00000: ")
        line, said = _said(place, words, room)
        if told and (room < MIN_ROOM or place.hits <= 0) and len(_said(place, words, max_chars * 2)[1]) > room:
            break
        where = f":{line}" if line else ""
        told += f"; {where[1:]}: {said}" if told and where else f"; {said}" if told else f"{change.path}{where}: {said}"
        count += 1
    if told and not change.is_whole:
        return told + NOT_KEPT
    more = changed - count
    return told + (f"; and {counted(more, 'more place')}" if told and more > 0 else "")


def _is_changed(hunk: Hunk, is_plain: bool) -> bool:
    """Return whether a hunk changed code: what was only said otherwise in a comment, or a blank line, is none."""
    gone, came = (telling(lines, is_plain=is_plain) for lines in (hunk.removed, hunk.added))
    gone, came = ([line for line in lines if not is_bare(line, is_plain=is_plain)] for lines in (gone, came))
    return gone != came or _moved(hunk, is_plain) is not None


def _place(hunk: Hunk, stood: Collection[str], stands: Collection[str], words: Words, is_plain: bool) -> _Place | None:
    """Return what a hunk tells, None where that is nothing: a comment, a docstring, a heading, blanks, what stands elsewhere now."""
    gone = with_gaps(telling(hunk.removed, is_plain=is_plain), lambda line: line not in stands)
    came = _between_new(telling(hunk.added, is_plain=is_plain), stood) + ([GAP] if hunk.added[-1:] == (GAP,) else [])
    gone, came = (with_end, []) if came == [GAP] and (with_end := [*gone, GAP]) else (gone, came)
    shifted = _moved(hunk, is_plain)
    if all(is_bare(line, is_plain=is_plain) for line in (*came, *gone)) or (not gone and all(map(is_bodiless, came))):
        return shifted and _Place((), (shifted[0],), (hunk.line,), shifted[1], _hits(shifted[0], words), left_class=shifted[2])
    lines = hunk.added if came else hunk.removed
    numbers = {line.strip(): hunk.line + i for i, line in reversed([*enumerate(lines)])} if hunk.line else {}
    at = tuple(numbers.get(line, 0) for line in (came or gone))
    hits = max(_hits(line, words) for line in (*came, *gone))
    declares = all(map(_declares, came or gone))
    return _Place(tuple(gone), tuple(came), at, 0, hits, hunk.is_sure, _shift(*shifted, told=came) if shifted else "", declares=declares)


def _between_new(lines: Sequence[str], stood: Collection[str]) -> list[str]:
    """Return the lines from the first to the last that is new, with those between them, and the first of a block that the last opens."""
    new = [i for i, line in enumerate(lines) if line not in stood]
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


def _indent(line: str) -> int:
    text = line.expandtabs()
    return len(text) - len(text.lstrip())


def _are_like(a: str, b: str) -> bool:
    return SequenceMatcher(None, a, b).ratio() >= LIKE_LINES


def _hits(line: str, words: Words) -> int:
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


def _said(place: _Place, words: Words, room: int) -> tuple[int, str]:
    """Return the line that a place is told from, and what it says."""
    if place.shift:
        return place.at[0], _shift(_cut(place.came[0], words, room - 50), place.shift, place.left_class)
    if place.moved and len(place.moved) + MIN_ROOM < room:
        line, said = _said(replace(place, moved=""), words, room - len(place.moved) - 2)
        return line, f"{said}; {place.moved}"
    if len(place.gone) == 1 and len(place.came) == 1:
        gone, came = _around_difference(place.gone[0], place.came[0], min(MAX_LINE_CHARS, room // 2 - 3))
        return place.at[0], f"- {gone} + {came}"
    if not place.came:
        start, gone = _window(place.gone, words, room - 2)
        return place.at[start], f"- {gone}"
    gone = f"- {_window(_near(place.gone, place.came, words), words, room // 3)[1]} " if place.gone else ""
    sign = "+" if place.is_sure else "now"
    left = room - len(gone) - len(sign) - 1
    start, came = _window(place.came, words, left) if place.is_sure else work_of(place.came, words, (), left)
    return place.at[start], f"{gone}{sign} {came}"


def _shift(line: str, by: int, left_class: bool, told: Sequence[str] = ()) -> str:
    """Return that a line moved; which it was, where that is not *told*."""
    moved = f"moved {abs(by)} columns to the {'right' if by > 0 else 'left'}{', out of its class' if left_class else ''}"
    return moved if [*told] == [line] else f"{moved}: {line}"


def _near(gone: Sequence[str], came: Sequence[str], words: Words) -> Sequence[str]:
    """Return of the lines that went the few that tell, from that on which is most like the nearest of those that came."""
    said = [i for i, line in enumerate(gone) if line != GAP]
    if len(said) <= MAX_GONE:
        return gone
    nearest = max(came, key=lambda line: _hits(line, words))
    likeness = [SequenceMatcher(None, gone[i], nearest).ratio() for i in said]
    best = max(range(len(said)), key=lambda i: likeness[i])
    start = best if likeness[best] >= LIKE_LINES else 0
    told = said[start : start + MAX_GONE]
    return [*([GAP] if start else ()), *gone[told[0] : told[-1] + 1], *([GAP] if told[-1] < said[-1] else ())]


def _window(lines: Sequence[str], words: Words, room: int) -> tuple[int, str]:
    """Return as many lines as there is room for, and the first of them: from just before the nearest where that lies beyond.

    The longest are cut before any is left out, for which of them matters may stand last: `sys.exit(32)` after two long messages.
    """
    best = max(range(len(lines)), key=lambda i: (lines[i] != GAP, not HEADING.match(lines[i]), _hits(lines[i], words), -i))
    if (every := _every(lines, best, words, room)) is not None:
        return 0, every
    cut = [_cut(line, words, min(MAX_LINE_CHARS, room)) for line in lines]
    before = max(0, best - (1 if lines[max(0, best - 1)] != GAP else 2))
    start = next(i for i in (0, before, best) if i == best or len(NEXT.join(cut[i : best + 1])) <= room)
    left_out = f"{GAP}{NEXT}" if start and lines[start] != GAP else ""
    return start, left_out + shorten(NEXT.join(cut[start:]), room - len(left_out))


def _every(lines: Sequence[str], best: int, words: Words, room: int) -> str | None:
    """Return all lines, those but the best cut as far as need be, the longest first; None where even so there is no room for them."""
    lengths = [len(line) for line in lines]
    most, spare = MAX_LINE_CHARS, room - len(NEXT) * (len(lines) - 1) - min(lengths[best], MAX_LINE_CHARS)
    others = [*lengths[:best], *lengths[best + 1 :]]
    while most > MIN_CUT_CHARS and sum(min(length, most) for length in others) > spare:
        most -= 1
    told = NEXT.join(_cut(line, words, MAX_LINE_CHARS if i == best else most) for i, line in enumerate(lines))
    return told if len(told) <= room else None


def _cut(line: str, words: Words, room: int) -> str:
    """Return a line, cut around the first word that was asked for."""
    if len(line) <= room:
        return line
    near = (found.start() for found in re.finditer(r"\w+", line) if not words.isdisjoint(distinct_words(found[0])))
    return _from(line, next(near, 0), room)


def _from(line: str, at: int, room: int) -> str:
    start = 0 if at < room - room // 4 else at - room // 4
    return ("…" if start else "") + shorten(line[start:], room - bool(start))


def _around_difference(old: str, new: str, room: int) -> tuple[str, str]:
    """Return two lines, cut around where they begin to differ.

    >>> _around_difference("if a.value is None and b:", "if a.value is None or b:", 16)
    ('…one and b:', '…one or b:')
    """
    if max(len(old), len(new)) <= room:
        return old, new
    at = 0
    for a, b in zip(_TOKEN.findall(old), _TOKEN.findall(new), strict=False):
        if a != b:
            break
        at += len(a)
    return _from(old, at, room), _from(new, at, room)
