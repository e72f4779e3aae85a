"""Lines that are told on one, cut where they are too long: around what differs, or around the word that was asked for. Pure."""

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher
from itertools import islice, takewhile

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.text import shorten, shorten_middle
from mcp_memory.learning.reading.edits import GAP, LIKE_LINES, NEXT
from mcp_memory.learning.reading.likeness import likeness

MAX_LINE_CHARS = 160  # of one line among others
MAX_PAIR_CHARS = 260  # of a line that took another's place, or of that one, up to which it is told whole
MIN_CUT_CHARS = 48  # of a line that is cut so that all lines have room
HEAD_CHARS = 16  # of a line's beginning, which says what kind of line it is
MAX_BESIDE = 80  # characters around what differs that are shown at most
MAX_COMPARED = 250_000  # words of the one line times those of the other
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
Words = frozenset[str]
_Spans = list[tuple[int, int]]


def every_line(lines: Sequence[str], best: int, words: Words, room: int, gone: Sequence[str] = ()) -> str | None:
    """Return all lines, those but the best cut as far as need be, the longest first; None where even so there is no room for them."""
    lengths = [len(line) for line in lines]
    most, spare = MAX_LINE_CHARS, room - len(NEXT) * (len(lines) - 1) - min(lengths[best], MAX_LINE_CHARS)
    others = [*lengths[:best], *lengths[best + 1 :]]
    while most > MIN_CUT_CHARS and sum(min(length, most) for length in others) > spare:
        most -= 1
    told = NEXT.join(cut_line(line, words, MAX_LINE_CHARS if i == best else most, gone) for i, line in enumerate(lines))
    return told if len(told) <= room else None


def some_lines(lines: Sequence[str], best: int, words: Words, room: int, gone: Sequence[str] = ()) -> tuple[int, str]:
    """Return as many lines as there is room for, and the first of them: from just before the best where that lies beyond."""
    cut = [cut_line(line, words, min(MAX_LINE_CHARS, room), gone) for line in lines]
    before = max(0, best - (1 if lines[max(0, best - 1)] != GAP else 2))
    start = next(i for i in (0, before, best) if i == best or len(NEXT.join(cut[i : best + 1])) <= room)
    left_out = f"{GAP}{NEXT}" if start and lines[start] != GAP else ""
    return start, left_out + _as_many(cut[start:], room - len(left_out))


def _as_many(lines: Sequence[str], room: int) -> str:
    """Return the lines there is room for, whole: half a line may read as another one."""
    told = lines[0] if len(lines[0]) <= room else shorten(lines[0], room)
    for i, line in enumerate(lines[1:], 1):
        end = len(f"{NEXT}{GAP}") if i < len(lines) - 1 else 0
        if len(told) + len(NEXT) + len(line) + end > room:
            return f"{told}{NEXT}{GAP}" if len(told) + len(NEXT) + 1 <= room and not told.endswith(GAP) else told
        told += NEXT + line
    return told


def cut_line(line: str, words: Words, room: int, gone: Sequence[str] = ()) -> str:
    """Return a line, cut around where it differs from the one in *gone* whose place it took, else around the first word asked for."""
    if len(line) <= room:
        return line
    if (old := _likest(line, gone)) and (spans := _differing(old, line)[1]):
        return _shown(line, spans, room)
    near = (found.span() for found in re.finditer(r"\w+", line) if not words.isdisjoint(distinct_words(found[0])))
    first, head = next(near, (0, 0)), min(HEAD_CHARS, room // 4)
    end = (room - 1) // 3
    if first[1] < room - end or first[0] > len(line) - end:
        return shorten_middle(line, room)  # which keeps its end: an argument more stands there
    if first[0] > len(line) - (room - head - 1):
        return f"{line[:head]}…{line[len(line) - (room - head - 1) :]}"
    return _shown(line, [(0, head), first], room)


def around_difference(old: str, new: str, room: int) -> tuple[str, str]:
    """Return two lines, each with the words that differ and a little around them, of at most *room* characters together.

    >>> around_difference("if a.value is None and b and c.lower:", "if a.value is None or b and c.upper:", 46)
    ('…None and b…c.lower:', '…None or b…c.upper:')
    """
    if len(old) + len(new) <= room and max(len(old), len(new)) <= MAX_PAIR_CHARS:
        return old, new
    spans = _differing(old, new)
    for beside in range(MAX_BESIDE, -1, -1):
        told = (_parts(old, spans[0], beside), _parts(new, spans[1], beside))
        if sum(map(len, told)) <= room:
            return told
    return _shown(old, spans[0], room // 2), _shown(new, spans[1], room // 2)


def _likest(line: str, gone: Collection[str]) -> str:
    """Return which of the lines that went a line took the place of, "" for none."""
    ratios = [(likeness(old, line), old) for old in gone if old != GAP]
    ratio, old = max(ratios, default=(0.0, ""))
    return old if ratio >= LIKE_LINES else ""


def _differing(old: str, new: str) -> tuple[_Spans, _Spans]:
    """Return where two lines differ: in each the spans of characters, empty ones where only the other has something."""
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    at_a, at_b = [0], [0]
    for tokens, places in ((a, at_a), (b, at_b)):
        for token in tokens:
            places.append(places[-1] + len(token))
    if len(a) * len(b) > MAX_COMPARED:  # what stands between their like beginnings and ends
        start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
        most = min(len(a), len(b)) - start
        end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], islice(zip(reversed(a), reversed(b), strict=False), most)))
        return [(at_a[start], at_a[len(a) - end])], [(at_b[start], at_b[len(b) - end])]
    codes = [code for code in SequenceMatcher(None, a, b, autojunk=False).get_opcodes() if code[0] != "equal"]
    return [(at_a[i], at_a[i_end]) for _, i, i_end, _, _ in codes], [(at_b[j], at_b[j_end]) for _, _, _, j, j_end in codes]


def _shown(line: str, spans: _Spans, room: int) -> str:
    """Return the parts of a line around *spans*, with as much beside them as there is room for; of too many from the first on."""
    if len(line) <= room:
        return line
    for beside in range(MAX_BESIDE, -1, -1):
        if len(told := _parts(line, spans, beside)) <= room:
            return told
    start = max(0, spans[0][0] - room // 4) if spans else 0
    told = ("…" if start else "") + line[start:]
    return told if len(told) <= room else shorten(told, room)


def _parts(line: str, spans: _Spans, beside: int) -> str:
    """Return the parts of a line from *beside* characters before each span to as many behind it, words whole, with gaps between them."""
    found: _Spans = []
    words = [word.span() for word in _TOKEN.finditer(line)]
    for first, last in spans:
        start = next((a for a, b in words if b > max(0, first - beside)), len(line))
        end = next((b for _, b in reversed(words) if b <= last + beside), last)
        start, end = min(start, first), max(end, last)
        if found and start - found[-1][1] <= len("…") + 2:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    parts = [line[start:end].strip() for start, end in found]
    told = "…".join(parts)
    return ("…" if found and line[: found[0][0]].strip() else "") + told + ("…" if found and line[found[-1][1] :].strip() else "")
