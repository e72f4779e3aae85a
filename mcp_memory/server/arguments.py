"""Tool arguments against their schema: missing, unknown and ill-typed ones are refused in one readable line, before anything is done.

Only shapes are checked here (types, names, enums). Limits and meaning are the front door's, so that every edge agrees on them.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from mcp_memory.server.schema import Schema

_MAX_SHOWN_CHARS = 60
_MAX_PARSED_CHARS = 4 * 1024 * 1024  # a JSON text inside a JSON string; larger ones are refused by the field's own limit anyway


class InvalidArguments(Exception):
    """The arguments of a tool call do not fit its schema; the text is the line for the caller."""


def check(tool: str, schema: Schema, raw: Any) -> dict[str, Any]:
    """Return the arguments as the schema says they should be.

    Nulls of optional fields are dropped. Objects and lists sent as JSON text (some hosts do) are parsed. Whole floats become integers.

    Raises:
        InvalidArguments: A missing, unknown or ill-typed field.
    """
    raw = {} if raw is None else raw
    try:
        value = _object(schema, raw, "")
    except _Problem as problem:
        allowed = ", ".join(_signature(schema))
        raise InvalidArguments(f"invalid_arguments: {problem}. Arguments of {tool}: {allowed or 'none'}.") from None
    assert isinstance(value, dict)
    return value


class _Problem(Exception):
    pass


def _signature(schema: Schema) -> list[str]:
    required = schema.get("required", ())
    return [f"{name}*" if name in required else name for name in schema.get("properties", {})]


def _value(schema: Schema, value: Any, where: str) -> Any:
    kind = schema["type"]
    if kind in ("object", "array") and isinstance(value, str):
        value = _from_text(value, kind)
    value = _CHECKS[kind](schema, value, where)
    if "enum" in schema and value not in schema["enum"]:
        raise _Problem(f"`{where}` must be one of {', '.join(schema['enum'])}, not {_shown(value)}")
    return value


def _object(schema: Schema, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _Problem(f"{_named(where)} must be an object, not {_type_name(value)}")
    properties = schema.get("properties")
    if properties is None:
        return dict(value)
    prefix = f"{where}." if where else ""
    if unknown := [name for name in value if name not in properties]:
        raise _Problem(f"unknown argument {', '.join(f'`{prefix}{str(name)[:_MAX_SHOWN_CHARS]}`' for name in unknown[:3])}")
    given = {name: item for name, item in value.items() if item is not None}
    if missing := [name for name in schema.get("required", ()) if name not in given]:
        raise _Problem(f"missing {', '.join(f'`{prefix}{name}`' for name in missing)}")
    return {name: _value(properties[name], item, prefix + name) for name, item in given.items()}


def _array(schema: Schema, value: Any, where: str) -> Any:
    if not isinstance(value, list | tuple):
        raise _Problem(f"{_named(where)} must be a list, not {_type_name(value)}")
    return [_value(schema["items"], item, f"{where}[{index}]") for index, item in enumerate(value)]


def _string(schema: Schema, value: Any, where: str) -> Any:
    if not isinstance(value, str):
        raise _Problem(f"{_named(where)} must be a string, not {_type_name(value)}")
    return value


def _integer(schema: Schema, value: Any, where: str) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Problem(f"{_named(where)} must be a whole number, not {_type_name(value)}")
    return value


def _number(schema: Schema, value: Any, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Problem(f"{_named(where)} must be a number, not {_type_name(value)}")
    return value


def _boolean(schema: Schema, value: Any, where: str) -> Any:
    if not isinstance(value, bool):
        raise _Problem(f"{_named(where)} must be true or false, not {_type_name(value)}")
    return value


_CHECKS = {"object": _object, "array": _array, "string": _string, "integer": _integer, "number": _number, "boolean": _boolean}
_TYPE_NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def _from_text(text: str, kind: str) -> Any:
    """Return the object or list that *text* is the JSON of, or *text* as it was."""
    if len(text) > _MAX_PARSED_CHARS or text.lstrip()[:1] != ("{" if kind == "object" else "["):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _named(where: str) -> str:
    return f"`{where}`" if where else "the arguments"


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= _MAX_SHOWN_CHARS else text[:_MAX_SHOWN_CHARS] + "…")
