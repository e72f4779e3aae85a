"""A change as one line to read: of what went and what came, the lines that tell. Pure.

Code before prose, what the task or an error speaks of before what it does not; a line that stands in both is no change, but where its
indentation is all that differs. A line that is too long is cut around what differs, or around the word that was asked for. Where code was
left out between, before or behind lines that are told, an ellipsis says so, and of places that are not told their number. What attempts
that ended otherwise left as well decides nothing, and comes last.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.learning.reading.change_places import Place, bare, hits_of, is_changed, left_over, place_of, shift_told
from mcp_memory.learning.reading.code_lines import HEADING, has_comments
from mcp_memory.learning.reading.edits import GAP, LIKE_LINES
from mcp_memory.learning.reading.left_changed import FileChange
from mcp_memory.learning.reading.likeness import likeness
from mcp_memory.learning.reading.line_cuts import around_difference, cut_line, every_line, some_lines
from mcp_memory.learning.reading.work_lines import work_of
from mcp_memory.phrases.words import counted

MAX_GONE = 2  # lines that went, of those that are told
MAX_PLACES = 6  # of one file
MIN_ROOM = 60  # characters left for another place
COMMENT_CAME = "+ a comment"
NOT_KEPT = "; as far as it was recorded"
MORE = "more place"  # of what is not told
MORE_CHARS = len(f"; and 00 {MORE}s")
_LINE_NUMBER = re.compile(r"(?<=:)\d+(?=:)|(?<=; )\d+(?=: )")
Words = frozenset[str]


def without_line_numbers(told: str) -> str:
    """Return what is told of changes without the numbers of lines, which differ between attempts that did the same.

    >>> without_line_numbers("cart.py:7: + a = 1; 12: + b = 2")
    'cart.py:: + a = 1; : + b = 2'
    """
    return _LINE_NUMBER.sub("", told)


def change_line(change: FileChange, words: Words, max_chars: int, shared: Words = frozenset()) -> str:
    """Return where a file was changed, and the lines that tell what: `cart.py:7: - total + round(total, 2)`; "" where none does.

    Args:
        change: Of the file.
        words: Of the task and its errors, as `distinct_words` gives them: lines with many of them are told first.
        max_chars: Of the whole.
        shared: Lines, as `bare` gives them, that attempts which ended otherwise left, too: they decide nothing.
    """
    is_plain = not has_comments(change.path)
    found = [(hunk, place_of(hunk, change.hunks, words, shared, is_plain)) for hunk in change.hunks]
    places = [place for _, place in found if place]
    if places:
        rest = (left_over(hunk, change.hunks, words, is_plain) for hunk, place in found if not place and is_changed(hunk, is_plain))
        places += [place for place in rest if place]
    places.sort(key=_rank)
    told, count = "", 0
    changed = sum(is_changed(hunk, is_plain) for hunk in change.hunks)
    max_chars -= len(NOT_KEPT) if not change.is_whole else MORE_CHARS if changed > 1 else 0
    for place in places[:MAX_PLACES]:
        room = max_chars - len(told) - (0 if told else len(change.path)) - len(":00000: ")
        line, said = _said(place, words, room, shared)
        if told and (room < MIN_ROOM or place.hits <= 0) and len(_said(place, words, max_chars * 2, shared)[1]) > room:
            break
        if not said:
            continue
        where = f":{line}" if line else ""
        told += f"; {where[1:]}: {said}" if told and where else f"; {said}" if told else f"{change.path}{where}: {said}"
        count += 1
    if told and not change.is_whole:
        return told + NOT_KEPT
    more = changed - count
    return told + (f"; and {counted(more, MORE)}" if told and more > 0 else "")


def _rank(place: Place) -> tuple[bool, bool, bool, bool, int, int]:
    """Return what sorts places, those first that are told first."""
    size = len(place.came) + len(place.gone)
    return not place.left_class, place.is_left_over, not place.decides, place.declares, -place.hits, -size


def _said(place: Place, words: Words, room: int, shared: Words) -> tuple[int, str]:
    """Return the line that a place is told from, and what it says."""
    if place.shift:
        return place.at[0], shift_told(cut_line(place.came[0], words, room - 50), place.shift, place.left_class)
    if place.moved and len(place.moved) + MIN_ROOM < room:
        line, said = _said(replace(place, moved=""), words, room - len(place.moved) - 2, shared)
        return line, f"{said}; {place.moved}"
    if len(place.gone) == 1 and len(place.came) == 1:
        gone, came = around_difference(place.gone[0], place.came[0], room - 5)
        return place.at[0], f"- {gone} + {came}"
    if not place.came:
        came = f" {COMMENT_CAME}" if place.comment_came else ""
        start, gone = _window(place.gone, words, room - 2 - len(came), shared)
        return place.at[start], f"- {gone}{came}"
    gone = f"- {_window(_near(place.gone, place.came, words), words, room // 3, shared)[1]} " if place.gone else ""
    sign = "moved here:" if place.is_from_elsewhere else "+" if place.is_sure else "now"
    left = room - len(gone) - len(sign) - 1
    start, came = _window(place.came, words, left, shared, place.gone) if place.is_sure else work_of(place.came, words, (), left)
    return place.at[start], f"{gone}{sign} {came}" if came else ""


def _near(gone: Sequence[str], came: Sequence[str], words: Words) -> Sequence[str]:
    """Return of the lines that went the few that tell, from that on which is most like the nearest of those that came."""
    said = [i for i, line in enumerate(gone) if line != GAP]
    if len(said) <= MAX_GONE:
        return gone
    nearest = max(came, key=lambda line: hits_of(line, words))
    alike = [likeness(gone[i], nearest) for i in said]
    best = max(range(len(said)), key=lambda i: alike[i])
    start = best if alike[best] >= LIKE_LINES else 0
    told = said[start : start + MAX_GONE]
    return [*([GAP] if start else ()), *gone[told[0] : told[-1] + 1], *([GAP] if told[-1] < said[-1] else ())]


def _window(lines: Sequence[str], words: Words, room: int, shared: Words, gone: Sequence[str] = ()) -> tuple[int, str]:
    """Return as many lines as there is room for, and the first of them: from just before the nearest where that lies beyond.

    The longest are cut before any is left out, for which of them matters may stand last: `sys.exit(32)` after two long messages.
    """

    def nearness(i: int) -> tuple[bool, bool, bool, int, int]:
        line = lines[i]
        return line != GAP, not HEADING.match(line), bare(line) not in shared, hits_of(line, words), -i

    best = max(range(len(lines)), key=nearness)
    if (every := every_line(lines, best, words, room, gone)) is not None:
        return 0, every
    return some_lines(lines, best, words, room, gone)
