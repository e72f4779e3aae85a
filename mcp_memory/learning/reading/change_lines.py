"""A change as one line to read: of what went and what came, the lines that tell. Pure.

Code before prose, what the task or an error speaks of before what it does not; a line that stands in both is no change, but where its
indentation is all that differs. A line that is too long is cut around what differs, or around the word that was asked for.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.changes import HEADING, statements
from mcp_memory.learning.reading.edits import Hunk
from mcp_memory.learning.reading.left_changed import FileChange

MAX_LINE_CHARS = 120  # of one line
MAX_GONE = 2  # lines that went, of those that are told
MAX_PLACES = 2  # of one file
LIKE_LINES = 0.6  # of two lines, from which one took the other's place
MIN_ROOM = 60  # characters left for another place
MANY_HITS = 3  # words of the task in one line, from which more make it no nearer
NEXT = " ⏎ "
_DOCUMENTED = re.compile(r"\.(?:py|pyx|pxi|pyi|rb|m?[jt]sx?|java|kts?|scala|go|rs|c|h|cc|cpp|hpp|cs|php|swift|jl|r|lua|ex|exs)$", re.I)
_CODE_SIGN = re.compile(
    r"[=(){}\[\];<>@|&$\\]|^(?:return|raise|pass|break|continue|else|try|finally|yield|import|from|del|assert)\b|:$|\w\.\w|\w_\w"
)
_PROSE = re.compile(r"^(?:#|[*>] |- [A-Z]|//|--|\.\. |>>> |:\w+:)|^\w+ : ")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_COMMENT = re.compile(r"(?<=\S)\s+(?:#|//) .*$")  # behind code: what it says is no reason to leave the code out
_ENTRY = re.compile(r'""\s*:\s*\S.*[,{\[]?$')  # of an object or a dictionary
_KEYWORDS = (
    "if in not is and or for else return import as from with while yield await lambda except del assert raise global async def class elif "
    "try public private protected static final const let var new void int long unsigned signed char export default function create select"
)
_PLAIN = rf"(?!(?:{'|'.join(_KEYWORDS.split())})\b)[A-Za-z][a-z']+"  # a word of prose: none that code has in a row
_SENTENCE = re.compile(rf"\b{_PLAIN}(?: {_PLAIN}){{3}}")
_PHRASE = re.compile(rf"\b{_PLAIN}(?: {_PLAIN}){{2}}")
_NO_PROSE = re.compile(r"[=\[\]{};_<>]|\w\(")
_IMPORTS = re.compile(r"(?:from\s+\S+\s+import|import|#include|using|use|require)\b")
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


def change_line(change: FileChange, words: Words, max_chars: int) -> str:
    """Return where a file was changed, and the lines that tell what: `cart.py:7: - total + round(total, 2)`; "" where none does.

    Args:
        change: Of the file.
        words: Of the task and its errors, as `distinct_words` gives them: lines with many of them are told first.
        max_chars: Of the whole.
    """
    is_plain = _DOCUMENTED.search(change.path) is None  # of whose lines none is a comment's
    stood, stands = ({line.strip() for hunk in change.hunks for line in getattr(hunk, side)} for side in ("removed", "added"))
    places = [place for hunk in change.hunks if (place := _place(hunk, stood, stands, words, is_plain))]
    places.sort(key=lambda place: (-place.hits, -len(place.came) - len(place.gone)))
    told = ""
    for place in places[:MAX_PLACES]:
        room = max_chars - len(told) - (0 if told else len(change.path)) - len(":00000: ")
        if told and (room < MIN_ROOM or place.hits <= 0):
            break
        line, said = _said(place, words, room)
        where = f":{line}" if line else ""
        told += f"; {where[1:]}: {said}" if told and where else f"; {said}" if told else f"{change.path}{where}: {said}"
    return told


def _place(hunk: Hunk, stood: Collection[str], stands: Collection[str], words: Words, is_plain: bool) -> _Place | None:
    """Return what a hunk tells, None where that is nothing: a comment, a docstring, a heading, blanks, what stands elsewhere now."""
    gone = [line for line in _telling(hunk.removed, is_plain) if line not in stands]
    came = _between_new(_telling(hunk.added, is_plain), stood)
    if all(HEADING.match(line) for line in (*came, *gone)):
        moved = None if came or gone else _moved(hunk, is_plain)
        return moved and _Place((), (moved[0],), (hunk.line,), moved[1], _hits(moved[0], words))
    opens = any(line.rstrip().endswith(":") for line in (*hunk.added, *hunk.removed) if (line.strip() in stood) != (line.strip() in stands))
    shifted = None if opens else _moved(hunk, is_plain)  # what a new block takes in moves with it
    lines = hunk.added if came else hunk.removed
    numbers = {line.strip(): hunk.line + i for i, line in reversed([*enumerate(lines)])} if hunk.line else {}
    at = tuple(numbers.get(line, 0) for line in (came or gone))
    hits = max(_hits(line, words) for line in (*came, *gone))
    return _Place(tuple(gone), tuple(came), at, 0, hits, hunk.is_sure, _shift(*shifted) if shifted else "")


def _between_new(lines: Sequence[str], stood: Collection[str]) -> list[str]:
    """Return the lines from the first to the last that is new, with those between them that stood there before."""
    new = [i for i, line in enumerate(lines) if line not in stood]
    return list(lines[new[0] : new[-1] + 1]) if new else []


def _telling(lines: Sequence[str], is_plain: bool) -> list[str]:
    said = [line.strip() for line in lines if line.strip()]
    return said if is_plain else [line for line in statements(said) if _is_code(line)]


def _is_code(line: str) -> bool:
    """Return whether a line is no sentence, as of a docstring whose quotes are not shown.

    >>> [_is_code(line) for line in ("return a", "Return the sum (as usual).", "n : int", "*(a)", "will change upon a reset (even")]
    [True, False, False, True, False]
    >>> [_is_code(line) for line in ("code = s.split('-')[0]  # Get base language code", '"method": method,', '"id": 1,')]
    [True, True, True]
    """
    bare = _COMMENT.sub("", _QUOTED.sub('""', line))
    if _ENTRY.match(bare):
        return True
    if not _CODE_SIGN.search(line) or _PROSE.match(line):
        return False
    return not (_SENTENCE.search(bare) or (_PHRASE.search(bare) and not _NO_PROSE.search(bare)))


def _moved(hunk: Hunk, is_plain: bool) -> tuple[str, int] | None:
    """Return the first line that stands in both with another indentation, and by how many columns it moved to the right."""
    before = {line.strip(): line for line in hunk.removed if line.strip()}
    for line in hunk.added:
        said = line.strip()
        if said in before and _telling([line], is_plain):
            shift = sum(len(text.expandtabs()) * sign for text, sign in ((line.rstrip(), 1), (before[said].rstrip(), -1)))
            if shift:
                return said, shift
    return None


def _hits(line: str, words: Words) -> int:
    """Return how many of the words a line has, -1 for what only says where a name comes from."""
    return -1 if _IMPORTS.match(line) else min(MANY_HITS, sum(word in words for word in distinct_words(line)))


def _said(place: _Place, words: Words, room: int) -> tuple[int, str]:
    """Return the line that a place is told from, and what it says."""
    if place.shift:
        return place.at[0], _shift(_cut(place.came[0], words, room - 30), place.shift)
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
    start, came = _window(place.came, words, room - len(gone) - len(sign) - 1)
    return place.at[start], f"{gone}{sign} {came}"


def _shift(line: str, by: int) -> str:
    return f"moved {abs(by)} columns to the {'right' if by > 0 else 'left'}: {line}"


def _near(gone: Sequence[str], came: Sequence[str], words: Words) -> Sequence[str]:
    """Return of the lines that went the few that tell, from that on which is most like the nearest of those that came."""
    if len(gone) <= MAX_GONE:
        return gone
    nearest = max(came, key=lambda line: _hits(line, words))
    likeness = [SequenceMatcher(None, line, nearest).ratio() for line in gone]
    best = max(range(len(gone)), key=lambda i: likeness[i])
    start = best if likeness[best] >= LIKE_LINES else 0
    return gone[start : start + MAX_GONE]


def _window(lines: Sequence[str], words: Words, room: int) -> tuple[int, str]:
    """Return as many lines as there is room for, and the first of them: from just before the nearest where that lies beyond."""
    cut = [_cut(line, words, min(MAX_LINE_CHARS, room)) for line in lines]
    best = max(range(len(lines)), key=lambda i: (not HEADING.match(lines[i]), _hits(lines[i], words), -i))
    start = next(i for i in (0, max(0, best - 1), best) if i == best or len(NEXT.join(cut[i : best + 1])) <= room)
    return start, shorten(NEXT.join(cut[start:]), room)


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
