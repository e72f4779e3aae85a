"""Short words for hand-built JSON schemas. They stay small because every character is shown to a model."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Any  # a JSON value; `domain.episode` has the same name for it, but costs an import before the first answer
Schema = dict[str, Any]


def string(description: str = "", *, values: Sequence[str] = ()) -> Schema:
    """Return a string schema, of the given values if any."""
    schema: Schema = {"type": "string"}
    if values:
        schema["enum"] = list(values)
    return _described(schema, description)


def integer(description: str = "", *, default: int | None = None, low: int | None = None, high: int | None = None) -> Schema:
    """Return a whole-number schema. The bounds inform; the front door enforces them."""
    schema: Schema = {"type": "integer"}
    bounds = {"minimum": low, "maximum": high, "default": default}
    return _described(schema | {key: value for key, value in bounds.items() if value is not None}, description)


def number(description: str = "", *, low: float | None = None, high: float | None = None) -> Schema:
    """Return a number schema."""
    bounds = {"minimum": low, "maximum": high}
    return _described({"type": "number"} | {key: value for key, value in bounds.items() if value is not None}, description)


def boolean(description: str = "", *, default: bool | None = None) -> Schema:
    """Return a boolean schema."""
    return _described({"type": "boolean"} | ({} if default is None else {"default": default}), description)


def strings(description: str = "", *, values: Sequence[str] = ()) -> Schema:
    """Return a schema of a list of strings."""
    return _described({"type": "array", "items": string(values=values)}, description)


def free_object(description: str = "") -> Schema:
    """Return a schema of an object with any fields."""
    return _described({"type": "object"}, description)


def record(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    """Return a schema of an object with exactly these fields."""
    schema: Schema = {"type": "object", "properties": dict(properties)}
    if required:
        schema["required"] = list(required)
    schema["additionalProperties"] = False
    return schema


def _described(schema: Schema, description: str) -> Schema:
    return schema | {"description": description} if description else schema
