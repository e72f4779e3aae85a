"""Output schemas from the answer records, so that they cannot drift from what is returned. Compact: types only, three levels deep.

Records are named by words: they are imported when the tools are first listed, not before the handshake is answered.
"""

import enum
import importlib
import types
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from mcp_memory.domain.facts import FactBase

Json = Any  # a JSON value; `domain.episode` has the same name for it, but costs an import before the first answer
Schema = dict[str, Any]

_MAX_DEPTH = 3
_SCALARS: dict[type, Schema] = {str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}}


def record_class(name: str) -> type:
    """Return the record of this name: an answer, a report, or an episode."""
    modules = (importlib.import_module(f"mcp_memory.domain.{module}") for module in ("answers", "reports", "status", "episode"))
    return next(found for module in modules if isinstance(found := getattr(module, name, None), type))


def answered(name: str, *, without: Sequence[str] = ()) -> Callable[[], Schema]:
    """Return the maker of a tool's output schema: that of the record *name*."""
    return lambda: schema_of(record_class(name), without=without)


def schema_of(kind: type, *, without: Sequence[str] = ()) -> Schema:
    """Return the schema of `render.answer` of a *kind*: all fields present, those that may be None nullable."""
    properties = {name: _nullable(hint) for name, hint in _hints(kind) if name not in without}
    return {"type": "object", "properties": properties, "required": list(properties)}


def row_schema(kind: type, depth: int = 1) -> Schema:
    """Return the schema of `render.plain` of a *kind*: fields without a value are left out."""
    if depth >= _MAX_DEPTH:
        return {"type": "object"}
    return {"type": "object", "properties": {name: _schema(hint, depth + 1) for name, hint in _hints(kind)}}


def nullable(schema: Schema) -> Schema:
    """Return *schema* or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def _hints(kind: type) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [
        (item.name.removesuffix("_ms"), str if hints[item.name] is int else str | None)
        if item.name.endswith("_at_ms")
        else (item.name, hints[item.name])
        for item in fields(kind)
    ]


def _nullable(hint: Any) -> Schema:
    schema = _schema(hint, 1)
    return nullable(schema) if type(None) in get_args(hint) else schema


def _schema(hint: Any, depth: int) -> Schema:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _schema(next(item for item in get_args(hint) if item is not type(None)), depth)
    if isinstance(hint, type) and issubclass(hint, FactBase):
        return {"type": "string"}  # a fact is shown as its sentence
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if origin is tuple:
        return {"type": "array", "items": _schema(get_args(hint)[0], depth)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"type": "string"}
    if is_dataclass(hint) and isinstance(hint, type):
        return row_schema(hint, depth)
    return {"type": "object"}  # a Mapping
