"""Values of another run's case in what is told of it: those its error named become this run's, other ids placeholders by kind. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

from mcp_memory.learning.reading.signatures import without_details

EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
MAX_ERROR_CHARS = 4_000  # of an error in which values are looked for
MIN_VALUE_CHARS = 2
_IDS = (
    (EMAIL, "<email>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.I), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,}\b"), "<id>"),
    (re.compile(r"\b[A-Za-z]+(?:_[A-Za-z]+)*_\d{3,}\b"), "<id>"),
    (re.compile(r"(?<![\w.])\d{6,}(?![\w.])"), "<number>"),
)
_VALUE = re.compile(r"\w+(?:-\w+)*")


def without_ids(text: str, is_own: Callable[[str], bool]) -> str:
    """Return a text with the ids in it replaced by placeholders, but for those that are the reader's own.

    >>> without_ids("docker rm 9c1b22f3a04d", lambda value: False)
    'docker rm <id>'
    """
    for pattern, placeholder in _IDS:
        text = pattern.sub(lambda found, instead=placeholder: found[0] if is_own(found[0]) else instead, text)  # type: ignore[misc]
    return text


def carried_over(text: str, then: str, now: str) -> str:
    """Return a text with the values that the error *then* names replaced by what the error *now* says in the same places of the same lines.

    Only what has a digit is a value (a port, a process, the id of a lock); one that stands for two is left as it is.

    >>> carried_over("kill $(lsof -ti:3000)", "address already in use :::3000", "address already in use :::8080")
    'kill $(lsof -ti:8080)'
    """
    values = _values_now(then[:MAX_ERROR_CHARS], now[:MAX_ERROR_CHARS])
    if not values:
        return text
    return _VALUE.sub(lambda found: values.get(found[0], found[0]), text)


def _values_now(then: str, now: str) -> Mapping[str, str]:
    lines, others = _by_shape(then), _by_shape(now)
    found: dict[str, set[str]] = {}
    for shape in lines.keys() & others.keys():
        before, after = _VALUE.findall(lines[shape]), _VALUE.findall(others[shape])
        for a, b in zip(before, after, strict=True) if len(before) == len(after) else ():
            if len(a) >= MIN_VALUE_CHARS and any(map(str.isdigit, a)):
                found.setdefault(a, set()).add(b)
    return {a: next(iter(values)) for a, values in found.items() if len(values) == 1}


def _by_shape(error: str) -> dict[str, str]:
    """Return the lines of an error by what they say without their values, of those that say it once."""
    shaped = [(without_details(line), line) for line in error.splitlines() if line.strip()]
    counts = Counter(shape for shape, _ in shaped)
    return {shape: line for shape, line in shaped if counts[shape] == 1}
