"""A JSON value in, the same value without its secrets out."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain import limits
from mcp_memory.errors import InvalidInput
from mcp_memory.redaction.names import PASSWORD, kind_of
from mcp_memory.redaction.scanner import redact
from mcp_memory.redaction.values import MARKER_START, is_given_secret

MAX_DEPTH = 100  # deeper than any tool's arguments; far from the interpreter's own limit
_MAX_CHARS = limits.MAX_OBSERVATION_CHARS  # the largest limit of any text: what is longer is refused later anyway, so it is not scanned


def redact_tree(name: str, value: Any, found: list[str]) -> Any:
    """Return *value* with the secrets in all its strings and keys replaced, and what is named a secret replaced as a whole.

    The same object comes back where nothing was found; otherwise containers are copied, never changed. *found* gets the rules' names.

    Args:
        name: The field the value was given under; an object's keys take its place further down.

    Raises:
        InvalidInput: A string over the largest limit, or nesting deeper than MAX_DEPTH.
    """
    return _walk(name, value, found, MAX_DEPTH)


def _walk(name: str, value: Any, found: list[str], depth: int) -> Any:
    if isinstance(value, str):
        return _text(name, value, found)
    if isinstance(value, Mapping):
        _check_depth(name, depth)
        pairs = [(_key(key, found), _walk(str(key), item, found, depth - 1)) for key, item in value.items()]
        changed = any(new is not old or item is not value[old] for (new, item), old in zip(pairs, value, strict=True))
        return dict(pairs) if changed else value
    if isinstance(value, list | tuple):
        _check_depth(name, depth)
        items = [_walk(name, item, found, depth - 1) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if type(value) is int and value > 999 and kind_of(name) == PASSWORD:
        found.append(PASSWORD)  # a number code
        return _marker(PASSWORD)
    return value


def _text(name: str, value: str, found: list[str]) -> str:
    if len(value) > _MAX_CHARS:
        raise InvalidInput(f"`{name[:60]}` has {len(value):,} characters; the limit is {_MAX_CHARS:,}", hint="Shorten it and call again.")
    redacted, rules = redact(value)
    if rules:
        found += rules
    elif len(name) <= limits.MAX_NAME_CHARS and (kind := kind_of(name)) and is_given_secret(kind, value):
        found.append(kind)
        return _marker(kind)
    return redacted


def _key(key: Any, found: list[str]) -> Any:
    return _text("", key, found) if isinstance(key, str) else key


def _check_depth(name: str, depth: int) -> None:
    if depth <= 0:
        raise InvalidInput(f"`{name[:60]}` is nested deeper than {MAX_DEPTH} levels")


def _marker(rule: str) -> str:
    return f"{MARKER_START}{rule}]"
