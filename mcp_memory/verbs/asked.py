"""How a method of the facade takes its request: as the record, or as the record's fields by name, with real signatures either way.

Ids may be cut: models and people copy the first characters. One that begins exactly one stored id stands for it.
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.domain.requests.kinds import Id, Texts
from mcp_memory.errors import InvalidArguments, InvalidInput

P = ParamSpec("P")
Q = TypeVar("Q", bound=Request)
Q_contra = TypeVar("Q_contra", bound=Request, contravariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
MIN_CHARS = 6  # of an id that may have been cut; fewer are taken as they are
WHOLE_CHARS = (36, 28)  # of an id of ours, and of a pattern's: nothing to complete
MAX_SHOWN = 5  # candidates
SHORT_CHARS = 8  # of an id as a person is shown it
MAX_ALIKE = 500  # ids with the same first characters that are compared


class Ask(Protocol[P, Q_contra, R_co]):
    """A bound method of the facade."""

    @overload
    def __call__(self, asked: Q_contra, /) -> Coroutine[Any, Any, R_co]: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R_co]: ...
    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, R_co]: ...


class Verb(Generic[P, Q, R]):
    """A method of the facade as type checkers see it; at run time it is a plain function."""

    def __get__(self, memory: object, owner: type | None = None) -> Ask[P, Q, R]:
        raise NotImplementedError


class Takes(Protocol[P, Q]):
    """What `takes` returns: a method on a record becomes one on the record or its fields."""

    def __call__(self, method: Callable[[Any, Q], Awaitable[R]], /) -> Verb[P, Q, R]: ...


def takes(request: Callable[P, Q]) -> Takes[P, Q]:
    """Return a decorator for a method that is given a checked *request*.

    The method can be called with that record, or with its fields. A field it does not have, an ill-typed or wrong value is refused
    before anything is done.
    """
    record = cast(type[Request], request)

    def decorate(method: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        @functools.wraps(method)
        async def call(memory: Any, *args: Any, **kwargs: Any) -> Any:
            given = len(args) == 1 and not kwargs and isinstance(args[0], record)
            asked = args[0] if given else record.read(_bound(record, args, kwargs))
            if memory.bound_to:
                asked = await memory.within_reach(asked)
            elif cut := cut_ids(asked):
                asked = await memory.with_whole_ids(asked, cut)
            return await method(memory, asked)

        return call

    return cast(Takes[P, Q], decorate)


def _bound(record: type[Request], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by the names of their fields."""
    if not args:
        return kwargs
    names = record.__struct_fields__
    if len(args) > len(names):
        raise InvalidArguments(f"`{record.verb()}` takes {len(names)} arguments, not {len(args)}")
    by_place = dict(zip(names, args, strict=False))
    if twice := by_place.keys() & kwargs.keys():
        raise InvalidArguments(f"`{min(twice)}` is given twice")
    return by_place | kwargs


def cut_ids(asked: Request) -> dict[str, Any]:
    """Return the id fields of *asked* that may have been cut. Microseconds: it is asked before every call."""
    found: dict[str, Any] = {}
    for name in id_fields(type(asked)):
        value = getattr(asked, name)
        if value and (_may_be_cut(value) if isinstance(value, str) else any(map(_may_be_cut, value))):
            found[name] = value
    return found


def with_whole_ids(asked: Q, cut: Mapping[str, Any], ids_starting: Callable[[str, int], list[str]]) -> Q:
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


@functools.cache
def id_fields(record: type[Request]) -> tuple[str, ...]:
    """Return the fields of a request that hold ids of ours, or lists of them."""
    kinds = {name: field.kind for name, field in fields_of(record).items()}
    return tuple(name for name, kind in kinds.items() if isinstance(kind.of if isinstance(kind, Texts) else kind, Id))


def _may_be_cut(value: str) -> bool:
    return len(value) >= MIN_CHARS and len(value) not in WHOLE_CHARS
