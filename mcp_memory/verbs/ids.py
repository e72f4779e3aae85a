"""Ids that were cut: models and people copy the first characters. One that begins exactly one stored id stands for it."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.domain.requests.kinds import Id, Texts
from mcp_memory.errors import InvalidInput

R = TypeVar("R", bound=Request)
MIN_CHARS = 6  # fewer are taken as they are
WHOLE_CHARS = (36, 28)  # of an id of ours, and of a pattern's: nothing to complete
MAX_SHOWN = 5  # candidates
SHORT_CHARS = 8  # of an id as a person is shown it
MAX_ALIKE = 500  # ids with the same first characters that are compared


def cut_ids(asked: Request) -> dict[str, Any]:
    """Return the id fields of *asked* that may have been cut. Microseconds: it is asked before every call."""
    found = {name: getattr(asked, name) for name in _id_fields(type(asked))}
    return {name: value for name, value in found.items() if value and any(map(_may_be_cut, _each(value)))}


def with_whole_ids(asked: R, cut: Mapping[str, Any], ids_starting: Callable[[str, int], list[str]]) -> R:
    """Return *asked* with whole ids (blocking).

    Raises:
        InvalidInput: One of *cut* begins several ids; they are named.
    """

    def whole(name: str, value: str) -> str:
        if not _may_be_cut(value):
            return value
        candidates = ids_starting(value, MAX_SHOWN + 1)
        if not candidates or value in candidates:
            return value
        if len(candidates) > 1:
            shown = ", ".join(candidates[:MAX_SHOWN]) + (", …" if len(candidates) > MAX_SHOWN else "")
            raise InvalidInput(f"`{name}` {value!r} begins several ids: {shown}", hint="Give more of its characters.")
        return candidates[0]

    return asked.but(**{name: whole(name, v) if isinstance(v, str) else tuple(whole(name, item) for item in v) for name, v in cut.items()})


def short_id(whole: str, ids_starting: Callable[[str, int], list[str]]) -> str:
    """Return the shortest beginning of an id, of SHORT_CHARS at least, that no other stored id has (blocking)."""
    others = [other for other in ids_starting(whole[:SHORT_CHARS], MAX_ALIKE) if other != whole]
    if len(others) == MAX_ALIKE:
        return whole
    shared = max((_shared(whole, other) for other in others), default=0)
    length = max(SHORT_CHARS, shared + 1)
    return whole[: length + (length in WHOLE_CHARS)]


def _shared(one: str, other: str) -> int:
    """Return how many first characters two ids share."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@cache
def _id_fields(record: type[Request]) -> tuple[str, ...]:
    kinds = {name: field.kind for name, field in fields_of(record).items()}
    return tuple(name for name, kind in kinds.items() if isinstance(kind.of if isinstance(kind, Texts) else kind, Id))


def _each(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _may_be_cut(value: str) -> bool:
    return len(value) >= MIN_CHARS and len(value) not in WHOLE_CHARS
