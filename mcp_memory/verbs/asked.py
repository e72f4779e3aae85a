"""How a method of the facade takes its request: as the record, or as the record's fields by name, with real signatures either way."""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from mcp_memory.domain.requests.base import Request
from mcp_memory.errors import InvalidArguments
from mcp_memory.verbs.ids import cut_ids

P = ParamSpec("P")
Q = TypeVar("Q", bound=Request)
Q_contra = TypeVar("Q_contra", bound=Request, contravariant=True)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


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
            if cut := cut_ids(asked):
                asked = await memory.with_whole_ids(asked, cut)
            return await method(memory, asked)

        return call

    return cast(Takes[P, Q], decorate)


def _bound(record: type[Request], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by the names of their fields."""
    names = record.__struct_fields__
    if len(args) > len(names):
        raise InvalidArguments(f"`{record.verb()}` takes {len(names)} arguments, not {len(args)}")
    by_place = dict(zip(names, args, strict=False))
    if twice := by_place.keys() & kwargs.keys():
        raise InvalidArguments(f"`{min(twice)}` is given twice")
    return by_place | kwargs
