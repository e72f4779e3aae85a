"""Whether two tasks are of one case, the same customer, booking or riddle, so that the values of one are those of the other. Pure."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from mcp_memory.domain.episode import Json
from mcp_memory.domain.nearness import is_another

SAME_WORDS = 0.9  # of two tasks, from which the values of one are those of the other
MANY_WORDS = 25  # of a task, from which it is a case of its own without naming anything
MANY_OF_A_QUESTION = 8  # that is about nobody who speaks: it has one answer
_WORD = re.compile(r"\w+")
_SPEAKERS = re.compile(r"\b(?:i|me|my|mine|we|us|our|ours|you|your|yours)\b", re.I)
_NAMED = re.compile(r"\d|(?<=[a-z,;] )[A-Z]\w|[\"“`_/]|[a-z]\.[a-z]")  # a number, a name, a quotation, an identifier, a file
_WITH_DIGIT = re.compile(r"\b[^\W\d]*+\d\w*")  # a word that may be an id: looking at every word takes ten times as long
_ID = re.compile(
    r"(?:(?=[A-Z\d]*\d)(?=[A-Z\d]*[A-Z])(?![A-Z]+\d{1,3}\b)(?!\d+[A-Z]+\b)[A-Z\d]{5,}"  # XEHM4B, ORD10234; neither SHA256 nor 1080P
    r"|[A-Za-z]\w*_\d{3,}"  # mia_li_3668
    r"|(?=[\da-f]*\d)(?=[\da-f]*[a-f])[\da-f]{8,})"
)
_ID_NAME = re.compile(r"(?:^|_)(?:id|ids|number|no)$|[a-z]I[Dd]s?$")  # of an argument
_ID_VALUE = re.compile(r"(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{5,}|\d{6,}")  # of one so named


def is_same_case(a: str, b: str) -> bool:
    """Return whether two tasks speak of the same things: the same ids, else the same numbers, nearly all words, and something that is not
    said of every case.

    >>> is_same_case("Cancel the booking of Mia Li", "cancel the booking of Mia Li!"), is_same_case("Cancel trip 7", "Cancel trip 8")
    (True, False)
    >>> is_same_case("Hi, I want to cancel a booking", "Hi, I want to cancel a booking")
    False
    >>> is_same_case("Please cancel XEHM4B and 59XX6W", "I want 59XX6W and XEHM4B to be cancelled")
    True
    """
    x, y = _read(a), _read(b)
    if x.ids or y.ids:
        if x.ids == y.ids:
            return True
    elif not names_a_case(a) or is_another(a, b):
        return False
    return len(x.words & y.words) >= SAME_WORDS * len(x.words | y.words) and x.numbers == y.numbers


class _Task(NamedTuple):
    ids: frozenset[str]
    words: frozenset[str]
    numbers: frozenset[str]  # of the words those with a digit


@lru_cache(maxsize=256)
def _read(task: str) -> _Task:
    """Return what a task is told apart by; one that is asked about is compared with every attempt at tasks like it, some several times."""
    words = frozenset(_WORD.findall(task.casefold()))
    return _Task(ids_in(task), words, frozenset(word for word in words if not word.isalpha() and any(map(str.isdigit, word))))


def are_the_task(task: str, others: Sequence[str]) -> list[bool]:
    """Return which of *others*, tasks as good as the same, are this one: where one is in its words, a variant with more words is not.

    >>> are_the_task("Sort a.csv by day", ["sort a.csv  by day", "Sort a.csv by day; it is in lib, which you build first"])
    [True, False]
    >>> are_the_task("Sort a.csv by day", ["Please sort a.csv by day", "By day, sort a.csv"])
    [True, True]
    """
    words = _plain(task)
    same = [_plain(other) == words or is_same_case(task, other) for other in others]
    return same if any(_plain(other) == words for other in others) else [True] * len(others)


def _plain(task: str) -> str:
    return " ".join(task.casefold().split())


@lru_cache(maxsize=256)
def names_a_case(task: str) -> bool:
    """Return whether a task's words are of one case alone: they name something, are many, or ask what has one answer whoever asks.

    >>> names_a_case("I want to cancel a booking"), names_a_case("I want to cancel trip 7"), names_a_case("Fix `Cart.total`")
    (False, True, True)
    >>> names_a_case("which bird lays the largest egg of all?"), names_a_case("what do you say about my bag that is late?")
    (True, False)
    """
    words = len(task.split())
    asks = words >= MANY_OF_A_QUESTION and task.rstrip(" \"'”’").endswith("?") and not _SPEAKERS.search(task)
    return _NAMED.search(task) is not None or words >= MANY_WORDS or asks


def ids_in(text: str) -> frozenset[str]:
    """Return what names one case of many: numbers of bookings, users, commits.

    >>> sorted(ids_in("cancel XEHM4B of mia_li_3668 on HAT005, 2024-05-20, with SHA256 and x86_64"))
    ['XEHM4B', 'mia_li_3668']
    """
    return frozenset(filter(_ID.fullmatch, set(_WITH_DIGIT.findall(text))))


def ids_of_call(arguments: Mapping[str, Json]) -> frozenset[str]:
    """Return what names one case of many in a call: also what its arguments call an id that does not look like one elsewhere.

    >>> sorted(ids_of_call({"booking_id": "EUJUY6", "format": "SHA256", "note": "for mia_li_3668"}))
    ['EUJUY6', 'mia_li_3668']
    >>> ids_of_call({"id": "12"}), ids_of_call({"order_id": 7104511})
    (frozenset(), frozenset({'7104511'}))
    """
    named = (str(value) for name, value in arguments.items() if _ID_NAME.search(name) and isinstance(value, str | int))
    return ids_in(str(dict(arguments))) | frozenset(filter(_ID_VALUE.fullmatch, named))


def met_in(text: str) -> frozenset[str]:
    """Return every word that may be an id: what somebody has met who was told this *text*."""
    return frozenset(_WITH_DIGIT.findall(text))
