"""What every request is: a frozen record whose fields were checked when it was made, so that whoever holds one need not look again.

A field is written once, with its kind beside it: `limit: Annotated[int, Whole(low=1, high=50)] = 5`. From it come the check, the tool's
JSON schema, the choices of the command line and the keys of the interchange form.
"""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, get_type_hints

import msgspec

from mcp_memory.domain.requests.kinds import Choice, Kind, Schema, Texts, from_json
from mcp_memory.domain.requests.problems import Problem, ShapeProblem, ill_typed

_SHOWN_CHARS = 60  # of an unknown field's name


class Request(msgspec.Struct, frozen=True):
    """A checked request. Making one raises InvalidInput, or InvalidArguments for a missing, unknown or ill-typed field."""

    def __post_init__(self) -> None:
        values = msgspec.structs.astuple(self)
        for place, name, field in _places(type(self)):
            value = values[place]
            if value is field.default and not field.kind.required:
                continue
            meant = field.default if value is None and not field.is_required else _meant(name, field.kind, value)
            if meant is not value:
                msgspec.structs.force_setattr(self, name, meant)

    @classmethod
    def read(cls, given: Mapping[str, Any], *, listed_only: bool = False) -> Self:
        """Return the request that *given* names the fields of. `listed_only`: as a tool takes it."""
        try:
            return cls(**_named(cls, given, listed_only))
        except ShapeProblem as problem:
            raise (problem if problem.given_hint else problem.hinting(f"Arguments of {cls.verb()}: {_listed(cls)}.")) from None

    @classmethod
    def verb(cls) -> str:
        """Return what asks this: the name of the tool and of the facade's method."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def given(self) -> dict[str, Any]:
        """Return the fields that say something else than their default."""
        return {name: value for name, field in fields_of(type(self)).items() if (value := getattr(self, name)) != field.default}

    def but(self, **changes: Any) -> Self:
        """Return the request with some fields changed."""
        return msgspec.structs.replace(self, **changes)


def _listed(record: type[Request]) -> str:
    """Return the names of the fields that callers are shown; those that must be given are marked."""
    return ", ".join(f"{name}*" if f.is_required else name for name, f in fields_of(record).items() if f.kind.is_listed) or "none"


@dataclass(frozen=True)
class Field:
    """A field as its record declares it."""

    kind: Kind
    default: Any  # NODEFAULT when there is none
    is_required: bool


@cache
def fields_of(record: type[Request]) -> Mapping[str, Field]:
    """Return the fields of a record by name, in order."""
    hints = get_type_hints(record, include_extras=True)
    kinds = {name: next((x for x in getattr(hint, "__metadata__", ()) if isinstance(x, Kind)), None) for name, hint in hints.items()}
    return {item.name: _field(item, kind) for item in msgspec.structs.fields(record) if (kind := kinds[item.name]) is not None}


def _field(item: msgspec.structs.FieldInfo, kind: Kind) -> Field:
    default = item.default if item.default_factory is msgspec.NODEFAULT else item.default_factory()
    return Field(kind, default, kind.required or default is msgspec.NODEFAULT)


@cache
def _places(record: type[Request]) -> tuple[tuple[int, str, Field], ...]:
    """Return where each field is among a record's values."""
    return tuple((record.__struct_fields__.index(name), name, field) for name, field in fields_of(record).items())


@cache
def _names(record: type[Request], listed_only: bool) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names of the fields that may be given, and of those that must be."""
    known = {name: field for name, field in fields_of(record).items() if field.kind.is_listed or not listed_only}
    return frozenset(known), tuple(name for name, field in known.items() if field.is_required)


def schema_of(record: type[Request]) -> Schema:
    """Return the JSON schema of what a tool takes; the bounds inform, reading enforces them."""
    listed = {name: field for name, field in fields_of(record).items() if field.kind.is_listed}
    schema: Schema = {"type": "object", "properties": {name: field.kind.schema for name, field in listed.items()}}
    if required := [name for name, field in listed.items() if field.is_required]:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def words_of(record: type[Request], field: str) -> tuple[str, ...]:
    """Return the words a field may hold: the choices of an option."""
    kind = fields_of(record)[field].kind
    if isinstance(kind, Texts):
        kind = kind.of
    assert isinstance(kind, Choice), f"{record.__name__}.{field} has no fixed words"
    return tuple(str(word) for word in kind.of)


@dataclass(frozen=True, kw_only=True)
class One(Kind):
    """A record in a record."""

    of: type[Request]

    def _schema(self) -> Schema:
        return _outline(self.of)

    def read(self, value: Any) -> Any:
        return _record(self.of, value)


@dataclass(frozen=True, kw_only=True)
class Many(Kind):
    """Records in a record, read to a tuple. One object is a list of one."""

    of: type[Request]
    low: int = 1
    high: int
    shows_fields: bool = True  # False: another tool shows them
    named: Callable[[Any], Any] | None = None  # how models write one, by the names of its fields

    def _schema(self) -> Schema:
        return {"type": "array", "items": _outline(self.of) if self.shows_fields else {"type": "object"}}

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            value = from_json(value, value.lstrip()[:1]) if value.lstrip()[:1] in ("[", "{") else value
        if isinstance(value, Mapping | Request):
            value = [value]
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise ill_typed("a list", value)
        if not self.low <= len(value) <= self.high:
            raise Problem(f" must have {self.low} to {self.high:,} items, not {len(value):,}")
        return tuple(self._items(value))

    def _items(self, values: Sequence[Any]) -> Iterator[Request]:
        for index, value in enumerate(values):
            try:
                yield _record(self.of, self.named(value) if self.named else value)
            except ShapeProblem as problem:
                raise problem.under(f"[{index}]").hinting(f"Fields of each: {_listed(self.of)}.") from None
            except Problem as problem:
                raise problem.under(f"[{index}]") from None


def _outline(record: type[Request]) -> Schema:
    """Return the schema of a record in a record: names and types. Words and descriptions are shown where the same fields stand alone."""
    listed = {name: field.kind.schema for name, field in fields_of(record).items() if field.kind.is_listed}
    shown = {name: {key: value for key, value in schema.items() if key in ("type", "items")} for name, schema in listed.items()}
    return {"type": "object", "properties": shown}


def _record(record: type[Request], value: Any) -> Request:
    if isinstance(value, record):
        return value
    if isinstance(value, str):
        value = from_json(value, "{")
    if not isinstance(value, Mapping):
        raise ill_typed("an object", value)
    return record(**_named(record, value, listed_only=False))


def _named(record: type[Request], given: Any, listed_only: bool) -> dict[str, Any]:
    """Return the fields of *given* that say something. Raises Problem for what is unknown or missing."""
    if not isinstance(given, Mapping):
        raise ill_typed("an object", given).under("arguments")
    fields, (known, required) = fields_of(record), _names(record, listed_only)
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(str(name), [field for field in fields if field in known], 1)
            also = f"; did you mean `{close[0]}`?" if close else ""
            raise ShapeProblem(also, path=str(name)[:_SHOWN_CHARS], head="unknown argument ")
    named = {name: value for name, value in given.items() if (field := fields[name]).is_required or not field.kind.is_left_out(value)}
    for name in required:
        if named.get(name) is None:
            raise ShapeProblem("", path=name, head="missing ")
    return named


def _meant(name: str, kind: Kind, value: Any) -> Any:
    try:
        return kind.read(value)
    except Problem as problem:
        raise problem.under(name) from None
