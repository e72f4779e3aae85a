"""What an answer offers to go on with: the kinds of values that it is the first in its run to name. Pure.

A step that names a record, a file or an amount for the first time is followed by another one than the same step that names none: the id
is looked up, the file is opened. Which value it is says nothing in another run; of which kind it is does.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from mcp_memory.domain.episode import Step

PLACE, RECORD, CODE, NUMBER = 1, 2, 4, 8  # a file or an address; an id of words and digits or an e-mail address; of capitals and digits
ANSWER_CHARS = 300  # at whose beginning values are looked for: with more of it every answer has some of each kind
_TASK_CHARS = 4_000
_MIN_ID, _MIN_PLACE = 5, 3  # characters of an id or a number that tells one thing from another, and of a place
_PARTED = str.maketrans(dict.fromkeys("\"'`()[]{}<>,;:=|*!?", " "))
_EDGES = ".-#"
_NAMED_FILE = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,3}")
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+\.[\w.-]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?")


def offered(task: str, steps: Sequence[Step]) -> tuple[int, ...]:
    """Return for each step the kinds, added up, of the values that its answer is the first to name; some 10 µs a step.

    >>> [*offered("look me up", [Step("ask", observation="I am mia_li_3668"), Step("find", {"id": "mia_li_3668"}, observation="Hello")])]
    [2, 0]
    """
    known, found = set(_values(task[:_TASK_CHARS])), []
    for step in steps:
        known |= _asked(step)
        named = _answered(step)
        found.append(sum({_kind(value) for value in named - known}))
        known |= named
    return tuple(found)


def offered_last(task: str, steps: Sequence[Step]) -> int:
    """Return what `offered` does for the last of the steps alone; where its answer names no value none of the others is looked at.

    >>> offered_last("look me up", [Step("ask", observation="I am mia_li_3668"), Step("find", observation="mia_li_3668 has XEHM4B")])
    4
    """
    new = _answered(steps[-1]) if steps else frozenset()
    if new:
        new -= _values(task[:_TASK_CHARS]) | _asked(steps[-1])
    for step in reversed(steps[:-1]):
        if not new:
            break
        new -= _asked(step) | _answered(step)
    return sum({_kind(value) for value in new})


def _asked(step: Step) -> frozenset[str]:
    """Return the values that a step was called with."""
    said = (value if isinstance(value, str) else str(value) for value in step.arguments.values())
    return frozenset[str]().union(*(_values(text[:ANSWER_CHARS]) for text in said))


def _answered(step: Step) -> frozenset[str]:
    """Return the values that stand at the beginning of a step's answer."""
    named = _values(step.observation[:ANSWER_CHARS])
    return named | _values(step.error[:ANSWER_CHARS]) if step.error else named


def pack_offers(offers: Sequence[int]) -> str:
    """Return the kinds that the answers of some steps offer as one string, a character each."""
    return "".join([f"{kinds:x}" for kinds in offers])


def unpack_offers(packed: str, count: int) -> list[int]:
    """Return the kinds that the answers of *count* steps offer; -1 for steps that *packed* does not cover.

    >>> unpack_offers("0a", 3)
    [0, 10, -1]
    """
    return [int(char, 16) for char in packed[:count]] + [-1] * (count - len(packed))


@lru_cache(maxsize=2_048)
def _values(text: str) -> frozenset[str]:
    """Return the words of a text that are values of some kind."""
    return frozenset([value for word in text.split() if not word.isalpha() for value in _values_in(word)])


@lru_cache(maxsize=50_000)
def _values_in(word: str) -> tuple[str, ...]:
    """Return the values in what stands between two blanks, as JSON has several."""
    return tuple([value for part in word.translate(_PARTED).split() if _kind(value := part.strip(_EDGES))])


@lru_cache(maxsize=50_000)
def _kind(word: str) -> int:
    """Return of which kind a value is; 0 for a word that is none.

    >>> [_kind(word) for word in ("src/a.py", "mia_li_3668", "XEHM4B", "104532", "hello", "2024-05-16", "3.11")]
    [1, 2, 4, 8, 0, 0, 0]
    """
    if "@" in word:
        return RECORD if EMAIL.fullmatch(word) else 0
    if "/" in word:
        return PLACE if len(word) >= _MIN_PLACE and any(map(str.isalpha, word)) else 0
    if "." in word:
        return PLACE if _NAMED_FILE.fullmatch(word) else 0
    if len(word) < _MIN_ID or not any(map(str.isdigit, word)) or _DATE.fullmatch(word):
        return 0
    if word.isdigit():
        return NUMBER
    if word.isalnum() and word.isupper():
        return CODE
    return RECORD if word.replace("_", "").replace("-", "").isalnum() else 0
