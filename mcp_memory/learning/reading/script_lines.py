"""The few lines of a script that say how it does the task's work, beside what it reads, calls and writes. Pure.

Lines are chosen one after another, each for what it has that those chosen before have not: texts, numbers, names that are called, words of
the task. What stood in an earlier version counts less: what was changed since then made it work.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from mcp_memory.domain.identifiers import distinct_words
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.edits import GAP, NEXT
from mcp_memory.learning.reading.work_lines import is_routine

MAX_LINES, MAX_LINE_CHARS, MIN_LINE_CHARS = 3, 110, 12
ASKED = 0.5  # for a text that stands in the task as it is
KNOWN = 0.3  # of what a line counts that stood in the earlier version
NAMED, VALUE, CALL = 1.0, 1.0, 0.5  # for each new word of the task, text or number, name that is called
MANY = 3  # new things of one kind in a line, from which more count no more
LEAST = 1.0  # of what a line counts that is told
_NAME = r"[A-Za-z_][\w.]*(?:\[\w+\])?"
_NAMES = rf"{_NAME}(?:, ?{_NAME})*"
_PASSED = "capture_output text cwd timeout check shell debug indent encoding default"  # to what every script calls
_WIRED = (
    r"with open\b|async with\b|if (?:not )?os\.path",
    rf"return {_NAME}(?:\(.*\))?$|return (?:list|dict|set|tuple)\(|yield {_NAME}$",
    rf"(?:await )?{_NAME}\((?:{_NAMES})?\)$",  # a call that is given names alone
    rf"{_NAMES} ?[-+|]?= ?(?:await )?{_NAME}(?:\((?:{_NAMES})?\))?$",  # a name for another, or for such a call
    rf"{_NAME} ?[-+]= ?(?:\d+|{_NAME})$",
    rf"{_NAMES} ?= ?(?:[-\d., (){{}}\[\]]+|f?[\"']{{2,6}})$",  # a beginning: zero, nothing, a list that is opened
    rf"for {_NAMES} in (?:{_NAME}(?:\(\))?|range\(.*\)|enumerate\(.*\)):",
    rf"(?:if|elif|while) (?:not )?{_NAME}(?:\(\))?(?: ?[!=]= ?{_NAME})?:",
    rf"[\"']?\w+[\"']?:? ?[=:] ?(?:{_NAME}(?: or \S+)?|[-\d.]+|\[\]|\{{\}}),?$|[\"'](\w+)[\"']: ?\w+\[[\"']\1[\"']\],?$",  # an entry
    rf"[\"'][\w ]*[\"']:? ?[\[{{(]?,?$|{_NAME} ?= ?{_NAME}\($",
    r".*\b(?:argparse|sys\.argv|add_argument|os\.makedirs|random\.seed|print_exc|\.read\(\)|csv\.\w+eader|Flask\(__name__)",
    rf".*\b(?:requests\.\w+\(|jsonify\(|app\.run\(|(?:{_PASSED.replace(' ', '|')})=\S+,?$)",
)
_WIRING = re.compile("|".join(_WIRED))  # lines of every script
_TEXT = re.compile(r"\"([^\"]{3,})\"|'([^']{3,})'")
_NUMBER = re.compile(r"(?<![\w.])\d[\d_.]+(?!\w)")
_REMARK = re.compile(r"(?<=\S)\s+(?:#|//) .*$")
_BASE = re.compile(r"^\{[\w.]+\}(?=/)")  # in front of an address
_CALLED = re.compile(r"\.([A-Za-z_]\w*)\(")


def script_lines(lines: Sequence[str], task: str, earlier: Collection[str], max_chars: int, told: str = "") -> str:
    """Return the lines of a script that say how it works, in their order, with a gap between those that are no neighbours; "" without.

    Of a short one all that not every script has.

    Args:
        lines: Of the script, stripped, with gaps.
        task: Whose words are looked for.
        earlier: Lines of the version before, stripped.
        max_chars: Of the whole.
        told: What is told of it beside: texts in it say nothing new.

    >>> script_lines(["import csv", "rows = csv.reader(f)", "rows.sort()", "total = rows['price'] * 1.19"], "the price", (), 40)
    "total = rows['price'] * 1.19"
    """
    every = [i for i, line in enumerate(lines) if not is_routine(line)]
    if len(whole := _joined(lines, every)) <= max_chars:
        return whole
    chosen: list[int] = []
    words = frozenset(distinct_words(task))
    for i in _ranked(lines, task, words, earlier, told):
        if len(_joined(lines, sorted([*chosen, i]))) <= max_chars:
            chosen.append(i)
        if len(chosen) == MAX_LINES:
            break
    return _joined(lines, sorted(chosen))


def _ranked(lines: Sequence[str], task: str, words: Collection[str], earlier: Collection[str], told: str) -> Iterator[int]:
    """Yield the lines that say something, each next for what it adds to those before it."""
    said = {i: _said(line, words) for i, line in enumerate(lines) if says_how(line)}
    said = {i: things for i, things in said.items() if not things[1] or not all(_is_told(text, task, told) for text in things[1])}
    shown = {text for things in said.values() for text in (*things[0], *things[1]) if text in told}
    while said:
        gains = {i: _gain(things, shown, task) * (KNOWN if lines[i] in earlier else 1.0) for i, things in said.items()}
        best = max(said, key=lambda i: (gains[i], -i))
        if gains[best] < LEAST * (KNOWN if lines[best] in earlier else 1.0):
            return
        yield best
        shown.update(*said.pop(best))


def _is_told(text: str, task: str, told: str) -> bool:
    """Return whether a text of a line stands in what is told beside, or is an address that the task has itself."""
    return _BASE.sub("", text) in told or (text in task and "://" in text)


def says_how(line: str) -> bool:
    """Return whether a line of a script tells of its work: not what every script has to have.

    >>> [says_how(line) for line in ("with open(path) as f:", "text = f.read()", "main()", "self.path = path", "for row in rows:")]
    [False, False, False, False, False]
    >>> [says_how(line) for line in ("words = text.split(';')", "if size > 150:", "(r'AKIA\\\\w+', '<key>'),", "score = left / total")]
    [True, True, True, True]
    """
    bare = _REMARK.sub("", line)
    return MIN_LINE_CHARS <= len(bare) <= MAX_LINE_CHARS * 2 and not is_routine(line) and not _WIRING.match(bare)


def _said(line: str, words: Collection[str]) -> tuple[list[str], list[str], list[str]]:
    """Return what a line has: words of the task, texts and numbers, names that are called of something."""
    line = _REMARK.sub("", line)
    values = [a or b for a, b in _TEXT.findall(line)]
    return [w for w in distinct_words(line) if w in words], [*values, *_NUMBER.findall(_TEXT.sub("", line))], _CALLED.findall(line)


def _gain(things: tuple[list[str], list[str], list[str]], shown: Collection[str], task: str) -> float:
    words, values, calls = (list(dict.fromkeys(thing for thing in kind if thing not in shown))[:MANY] for kind in things)
    return NAMED * len(words) + sum(ASKED if value in task else VALUE for value in values) + CALL * len(calls)


def _joined(lines: Sequence[str], chosen: Sequence[int]) -> str:
    told, last = list[str](), -1
    for i in chosen:
        told += [GAP] if told and i > last + 1 else []
        told.append(shorten(_REMARK.sub("", lines[i].strip()), MAX_LINE_CHARS))
        last = i
    return NEXT.join(told)
