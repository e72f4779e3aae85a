"""The few lines of a script that do the task's work: what the task names, texts, numbers and calls, not what every script has. Pure.

Lines are chosen one after another, each for what it has that those chosen before have not. What stood in an earlier version counts less:
what was changed since then made it work.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.edits import GAP, NEXT

MAX_LINE_CHARS, MIN_LINE_CHARS = 110, 24  # of a line that is told whole, and from which on a part of one says something
LIKE_TEXTS = 0.5  # of the lines of the longer text, from which one is a version of the other
KNOWN = 0.3  # of what a line counts that stood in the earlier version
NAMED, PLACE, VALUE, CALL = 2.0, 2.0, 1.0, 0.5  # for each new word of the task, path or address, text or number, name that is called
AGAIN = 0.6  # for each word of the task that was told already
LEAST = 0.6  # of what a line counts that is told at all
MANY = 4  # new things of one kind in a line, from which more count no more
_ROUTINE = re.compile(
    r"\s*(?:(?:import|from|print|echo|console|else|try|except|finally|if __name__|logging|logger|class|def|function|pass|break|continue"
    r"|raise|set|fi|done|then|do|end|esac)\b|(?:return|exit|sys\.exit)\b\W*(?:\w+\W*)?$|#|//|@|[\W_]*$"
    r"|[\w.]*\braise_for_status\(|[\w.]+ *= *(?:(?:set|dict|list|defaultdict|deque|Counter)\(\w*\)|\[\]|\{\}|None|True|False|0|\"\"|'')$)"
)  # lines of every script
_TEXT = re.compile(r"\"([^\"]{3,})\"|'([^']{3,})'")
_PLACE = re.compile(r"\S/\S|\w\.\w{2,4}$")
_NUMBER = re.compile(r"(?<![\w.])\d[\d_.]+(?!\w)")
_REMARK = re.compile(r"(?<=\S)\s+(?:#|//) .*$")
_CALLED = re.compile(r"([A-Za-z_]\w*)\(")
_Things = tuple[list[str], list[str], list[str], list[str]]


def work_of(lines: Sequence[str], words: Collection[str], earlier: Collection[str], max_chars: int) -> tuple[int, str]:
    """Return the lines of a script that do its task's work, in their order with gaps, and which is the first; (0, "") where none does.

    Args:
        lines: Of the script.
        words: Of the task, as `distinct_words` gives them.
        earlier: Lines of the version before, stripped.
        max_chars: Of the whole.

    >>> work_of(["import csv", "rows = csv.reader(f)", "total = rows['price'] * 1.19"], {"price"}, (), 40)
    (2, "… ⏎ total = rows['price'] * 1.19")
    """
    every = [i for i, line in enumerate(lines) if not is_routine(line)]
    if every and len(told := _joined(lines, every)) <= max_chars:
        return every[0], told
    chosen: list[int] = []
    for i in _ranked(lines, words, earlier):
        told = _joined(lines, sorted([*chosen, i]))
        if len(told) <= max_chars:
            chosen.append(i)
        elif not chosen:
            return i, shorten(told, max_chars)
    return (min(chosen), _joined(lines, sorted(chosen))) if chosen else (0, "")


def is_version(text: Sequence[str], earlier: Sequence[str]) -> bool:
    """Return whether a text is a later version of another: half of the lines of the longer stand in both."""
    now, before = ({line.strip() for line in lines if line.strip()} for lines in (text, earlier))
    return len(now & before) >= LIKE_TEXTS * max(len(now), len(before), 1)


def _ranked(lines: Sequence[str], words: Collection[str], earlier: Collection[str]) -> Iterator[int]:
    """Yield the lines that say something, each next for what it adds to those before it."""
    said = {i: _said(line, words) for i, line in enumerate(lines) if not is_routine(line)}
    shown: set[str] = set()
    while said:
        gains = {i: _gain(things, shown) for i, things in said.items()}
        said = {i: things for i, things in said.items() if gains[i] >= (LEAST if shown else CALL)}
        if not said:
            return
        best = max(said, key=lambda i: (gains[i] * (KNOWN if lines[i].strip() in earlier else 1.0), -i))
        yield best
        shown.update(*said.pop(best))


def _said(line: str, words: Collection[str]) -> _Things:
    """Return what a line has: words of the task, paths and addresses, texts and numbers, names that are called."""
    line = _REMARK.sub("", line)
    texts = [a or b for a, b in _TEXT.findall(line)]
    places = [text for text in texts if _PLACE.search(text)]
    values = [text for text in texts if not _PLACE.search(text)]
    return [w for w in distinct_words(line) if w in words], places, [*values, *_NUMBER.findall(line)], _CALLED.findall(line)


def _gain(things: _Things, shown: Collection[str]) -> float:
    new = [min(MANY, sum(thing not in shown for thing in kind)) for kind in things]
    return sum(worth * count for worth, count in zip((NAMED, PLACE, VALUE, CALL), new, strict=True)) + AGAIN * (
        min(MANY, len(things[0])) - new[0]
    )


def _joined(lines: Sequence[str], chosen: Sequence[int]) -> str:
    """Return the chosen lines as one, with gaps where lines stand between them, and where more than routine stands before or behind."""
    told, last = list[str](), -1
    for i in chosen:
        between = lines[last + 1 : i]
        told += [GAP] if (between if told else _says(between)) else []
        told.append(shorten(lines[i].strip(), MAX_LINE_CHARS))  # blanks within it may be what it says
        last = i
    return NEXT.join([*told, *([GAP] if _says(lines[last + 1 :]) else [])])


def _says(lines: Sequence[str]) -> bool:
    return any(line == GAP or not is_routine(line) for line in lines)


def is_routine(line: str) -> bool:
    """Return whether every script has a line like that, whatever it does."""
    return line == GAP or _ROUTINE.match(_REMARK.sub("", line)) is not None
