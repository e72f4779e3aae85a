"""The texts of a small record looked at together: of most records nothing is to be changed, and that is told at once.

What comes again and again (a tool, a project, a path, the keys of arguments) is remembered where it is clean. No secret is: it would live
on in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from mcp_memory.redaction.names import kind_of
from mcp_memory.redaction.scanner import redact

TYPE_CHECKING = False  # `typing` itself takes longer to import than a hook may take
if TYPE_CHECKING:
    from typing import Any

Look = Callable[[str], tuple[str, tuple[str, ...]]]  # `redact`, or for what is known to have no secret `as_it_is`
VALUE_KEYS = frozenset({"value", "val", "content", "Value"})  # beside NAMING_KEYS: `{"name": "DB_PASSWORD", "value": …}`
NAMING_KEYS = ("name", "key", "variable", "header", "Name", "Key")
NAMING = frozenset(NAMING_KEYS)
_BETWEEN = "\n\0\n"  # texts that are looked at together: no rule goes on over it, and to all of them a text begins after it and ends before
_MAX_TOGETHER, _MAX_LEVELS = 4_000, 4  # characters: beyond that a text costs more than to begin with another
_QUOTES, _ESCAPED_QUOTES, _FAR_QUOTE = ('"', "'", "`"), ('\\"', "\\'", "\\`"), 200
_LEAST_CHARS = 8  # a shorter text has no secret
_OUR_ID, _OUR_ID_CHARS = frozenset("0123456789abcdef-"), 36
_MAX_REMEMBERED, _REMEMBERED_CHARS = 4_000, 64  # texts: some 400 kB


class Remembered:
    """Short texts that were judged clean. May be used from several threads. Begins anew when it is full."""

    __slots__ = ("texts",)

    def __init__(self) -> None:
        self.texts: set[str] = set()

    def add(self, text: str) -> None:
        """Remember *text*, if it is short."""
        if len(text) <= _REMEMBERED_CHARS:
            if len(self.texts) >= _MAX_REMEMBERED:
                self.texts = set()
            self.texts.add(text)


_clean, _silent = Remembered(), Remembered()  # texts; names that say nothing of their value


def look_for(fields: Iterable[tuple[str, Any]]) -> Look | None:
    """Return how to look at the texts of *fields*, names and values: not at all, where a look at all of them together finds nothing.

    That takes a third of the time for a step, whose three or four texts are short, and finds the same. None: the names say nothing either,
    so that all of it stays as it is.
    """
    texts: list[str] = []
    speaking: list[str] = []
    if _gather(fields, False, texts, speaking, _MAX_TOGETHER, _MAX_LEVELS) < 0 or any(map(_may_end_open, texts)):
        return redact
    if texts and redact(_BETWEEN.join(texts))[1]:
        return redact
    if speaking:
        return as_it_is
    for text in texts:
        _clean.add(text)
    return None


def as_it_is(text: str) -> tuple[str, tuple[str, ...]]:
    """Return *text*, as `redact` does where it finds nothing."""
    return text, ()


def is_our_id(value: str) -> bool:
    """Tell whether *value* has the form of our own ids."""
    return len(value) == _OUR_ID_CHARS and _OUR_ID.issuperset(value)


def _gather(fields: Iterable[tuple[Any, Any]], is_naming: bool, texts: list[str], speaking: list[Any], left: int, levels: int) -> int:
    """Gather the texts of *fields*, and the names that may say something of their value.

    Return how many of the characters that are *left* then are: below 0 if too many, or if it goes too deep.

    Args:
        is_naming: One of the fields may name the value of another.
    """
    silent, clean = _silent.texts, _clean.texts
    for name, value in fields:
        if name not in silent and (is_naming or name not in VALUE_KEYS) and not _is_silent(name):
            speaking.append(name)
        if not value:
            continue
        if type(value) is str:
            if len(value) >= _LEAST_CHARS and value not in clean and not is_our_id(value):
                texts.append(value)
                left -= len(value)
        elif not isinstance(value, int | float):
            left = _gather_in(value, texts, speaking, left, levels)
        if left < 0:
            return left
    return left


def _gather_in(value: Any, texts: list[str], speaking: list[Any], left: int, levels: int) -> int:
    if isinstance(value, str):
        return _gather((("value", value),), False, texts, speaking, left, levels)
    if isinstance(value, dict | Mapping):
        return _gather(value.items(), not NAMING.isdisjoint(value), texts, speaking, left, levels - 1) if levels else -1
    if isinstance(value, list | tuple):
        speaking += [item for item in value if isinstance(item, str) and item.startswith("--")]  # in a command's list such a flag is a name
        return _gather([("value", item) for item in value], False, texts, speaking, left, levels - 1) if levels else -1
    speaking.append(value)  # a record in a record is looked at by itself
    return left


def _is_silent(name: Any) -> bool:
    """Tell whether a name has nothing in it and says nothing of its value."""
    if not isinstance(name, str) or len(name) > _REMEMBERED_CHARS or name in VALUE_KEYS or redact(name)[1] or kind_of(name) is not None:
        return False
    _silent.add(name)
    return True


def _may_end_open(text: str) -> bool:
    """Tell whether the end of a text may be within quotes that no line's end closes: after a backslash, or far behind."""
    if "\\" in text and any(sign in text for sign in _ESCAPED_QUOTES):
        return True
    line = text.rfind("\n") + 1
    return len(text) - line >= _FAR_QUOTE and any(text.find(quote, line) >= 0 for quote in _QUOTES)
