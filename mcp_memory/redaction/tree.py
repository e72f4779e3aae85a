"""A JSON value in, the same value without its secrets out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from mcp_memory.domain import limits
from mcp_memory.errors import InvalidInput
from mcp_memory.redaction.names import PASSWORD, WEAK, kind_of
from mcp_memory.redaction.scanner import redact
from mcp_memory.redaction.together import NAMING, NAMING_KEYS, VALUE_KEYS, Look, is_our_id, look_for
from mcp_memory.redaction.values import MARKER_START, is_given_secret

TYPE_CHECKING = False  # `typing` itself takes longer to import than a hook may take
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 100  # deeper than any tool's arguments; far from the interpreter's own limit
_MAX_CHARS = limits.MAX_OBSERVATION_CHARS  # the largest limit of any text: what is longer is refused later anyway, so it is not scanned


def redact_tree(name: str, value: Any, found: list[str], look: Look = redact) -> Any:
    """Return *value* with the secrets in all its strings and keys replaced, and what is named a secret replaced as a whole.

    The same object comes back where nothing was found; otherwise containers are copied, never changed. *found* gets the rules' names.

    Args:
        name: The field the value was given under; an object's keys take its place further down.
        look: As `look_for` told it of this value among others.

    Raises:
        InvalidInput: A string over the largest limit, or nesting deeper than MAX_DEPTH.
    """
    return _walk(name, value, found, MAX_DEPTH, look)


def _walk(name: str, value: Any, found: list[str], depth: int, look: Look) -> Any:
    if isinstance(value, str):
        return _text(name, value, found, look)
    if isinstance(value, dict | Mapping):  # a dict is known at once, which other mappings are not
        _check_depth(name, depth)
        told = _told_name(value)
        pairs = [
            (_key(key, found), _walk(told if told and key in VALUE_KEYS else str(key), item, found, depth - 1, look))
            for key, item in value.items()
        ]
        changed = any(new is not old or item is not value[old] for (new, item), old in zip(pairs, value, strict=True))
        return dict(pairs) if changed else value
    if isinstance(value, list | tuple):
        _check_depth(name, depth)
        items = [_walk(_flag_before(value, i) or name, item, found, depth - 1, look) for i, item in enumerate(value)]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if type(value) is int and value > 999 and kind_of(name) == PASSWORD:
        found.append(PASSWORD)  # a number code
        return _marker(PASSWORD)
    return value


def _told_name(pair: Mapping[Any, Any]) -> str:
    """Return what `{"name": "DB_PASSWORD", "value": …}` names its value, or nothing."""
    if NAMING.isdisjoint(pair):  # nearly always; the search below would cost as much as a text
        return ""
    names = (pair.get(key) for key in NAMING_KEYS)
    return next((n for n in names if isinstance(n, str) and len(n) <= limits.MAX_NAME_CHARS and kind_of(n) not in (None, WEAK)), "")


def _flag_before(items: list[Any] | tuple[Any, ...], index: int) -> str:
    """Return the flag whose value the item of a command's list is: `["--password", "x"]`."""
    flag = items[index - 1] if index else None
    return flag if isinstance(flag, str) and flag.startswith("--") and "=" not in flag and len(flag) <= limits.MAX_NAME_CHARS else ""


def _text(name: str, value: str, found: list[str], look: Look) -> str:
    if len(value) > _MAX_CHARS:
        raise InvalidInput(f"`{name[:60]}` has {len(value):,} characters; the limit is {_MAX_CHARS:,}", hint="Shorten it and call again.")
    redacted, rules = look(value)
    if rules:
        found += rules
    elif len(name) <= limits.MAX_NAME_CHARS and (kind := kind_of(name)) and is_given_secret(kind, value):
        found.append(kind)
        return _marker(kind)
    return redacted


def _key(key: Any, found: list[str]) -> Any:
    if not isinstance(key, str) or len(key) > limits.MAX_NAME_CHARS:
        return _text("", key, found, redact) if isinstance(key, str) else key
    clean, rules = _redacted_name(key)
    found += rules
    return clean if rules else key  # this very object: another one would count as a change


@lru_cache(maxsize=2048)
def _redacted_name(name: str) -> tuple[str, tuple[str, ...]]:
    return redact(name)  # the same few names come with every step


def _check_depth(name: str, depth: int) -> None:
    if depth <= 0:
        raise InvalidInput(f"`{name[:60]}` is nested deeper than {MAX_DEPTH} levels")


def _marker(rule: str) -> str:
    return f"{MARKER_START}{rule}]"


def redact_identifier(value: Any, found: list[str], look: Look = redact) -> Any:
    """Return an id that others gave, or, where it holds a secret, a digest in its place.

    The digest is the same for the same id, so that a second delivery of an episode is still known and two sessions stay two.
    """
    if not isinstance(value, str) or len(value) > limits.MAX_ID_CHARS or is_our_id(value):
        return value
    rules = look(value)[1]
    if not rules:
        return value
    import hashlib  # here: hooks start often, and few of them need it

    found += rules
    return f"redacted-{rules[0]}-{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:24]}"


def redact_record(record: Mapping[str, Any], found: list[str], *, ours: Collection[str], ids: Collection[str]) -> dict[str, Any]:
    """Return a request or record without secrets in any of its fields.

    Args:
        ours: The fields with ids we made ourselves or words we allow: they are left alone.
        ids: The fields with ids, or lists of ids, that others made: see `redact_identifier`.
    """
    look = look_for(record.items())
    if look is None:
        return dict(record)
    return {name: redact_field(name, value, found, ours=ours, ids=ids, look=look) for name, value in record.items()}


def redact_field(name: str, value: Any, found: list[str], *, ours: Collection[str], ids: Collection[str], look: Look = redact) -> Any:
    """Return one field of such a record without secrets, the same object where there are none."""
    if not value or name in ours:
        return value
    if type(value) is str and name not in ids:  # most fields
        return _text(name, value, found, look)
    if name in ids:
        return _identifiers(value, found, look) if isinstance(value, list | tuple) else redact_identifier(value, found, look)
    return redact_tree(name, value, found, look)


def _identifiers(values: list[Any] | tuple[Any, ...], found: list[str], look: Look) -> list[Any] | tuple[Any, ...]:
    new = [redact_identifier(value, found, look) for value in values]
    return new if any(item is not old for item, old in zip(new, values, strict=True)) else values
