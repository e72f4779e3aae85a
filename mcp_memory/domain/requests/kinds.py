"""What a field of a request may hold: its JSON schema, and how a value a model sent becomes the value it meant. Pure.

Values are read the way models send them: `"5"` and `5.0` are 5, one string is a list of one, `Success` is `success`. What would change
the meaning is refused, with the limit in the message; nothing is cut.
"""

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.domain import limits
from mcp_memory.domain.requests.problems import Problem, ShapeProblem, ill_typed, shown
from mcp_memory.domain.text import storable, tidy_name

Schema = dict[str, Any]
_MAX_PARSED_CHARS = 4 * 1024 * 1024  # a JSON text inside a JSON string; larger ones are refused by the field's own limit anyway
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_NOT_GIVEN = ("", "null")  # what models write for an optional field they leave out


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of field. `about` is shown to models, so it is a few words or none."""

    about: str = ""
    required: bool = False  # although the record has a default for it
    is_listed: bool = True  # False: for callers in this process; tools neither show nor take it

    @property
    def schema(self) -> Schema:
        """The field's JSON schema; every character of it is shown to a model."""
        return self._schema() | ({"description": self.about} if self.about else {})

    def _schema(self) -> Schema:
        raise NotImplementedError

    def read(self, value: Any) -> Any:
        """Return the value meant. Raises Problem."""
        raise NotImplementedError

    def is_left_out(self, value: Any) -> bool:
        """Whether *value* is how models say that they leave an optional field out."""
        return value is None or (isinstance(value, str) and value.strip() in _NOT_GIVEN)


@dataclass(frozen=True, kw_only=True)
class Text(Kind):
    """Free text. NUL and half surrogates are replaced: SQLite and JSON readers disagree about them."""

    max_chars: int = limits.MAX_NOTE_CHARS
    may_be_empty: bool = True  # a required one may not
    any_json: bool = False  # other JSON values are taken as their compact text

    def _schema(self) -> Schema:
        return {"type": "string"}

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            if not self.any_json:
                raise ill_typed("a string", value)
            value = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        if len(value) > self.max_chars:
            raise Problem(f" has {len(value):,} characters; the limit is {self.max_chars:,}", hint="Shorten it and call again.")
        if (self.required or not self.may_be_empty) and not value.strip():
            raise Problem(" must not be empty")
        return storable(value)

    def is_left_out(self, value: Any) -> bool:
        return value is None  # "null" may be what a tool answered


@dataclass(frozen=True, kw_only=True)
class Name(Text):
    """A short name (tool, domain, project, a tag …): one line, without characters that nobody sees."""

    max_chars: int = limits.MAX_NAME_CHARS

    def read(self, value: Any) -> Any:
        name = tidy_name(super().read(value))
        if not name and (self.required or not self.may_be_empty):
            raise Problem(" must not be empty")
        return name

    def is_left_out(self, value: Any) -> bool:
        return Kind.is_left_out(self, value)


@dataclass(frozen=True, kw_only=True)
class Id(Text):
    """The id of something stored. The facade completes one that was cut; see `verbs/asked.py`."""

    max_chars: int = limits.MAX_ID_CHARS

    def is_left_out(self, value: Any) -> bool:
        return Kind.is_left_out(self, value)


@dataclass(frozen=True, kw_only=True)
class ErrorText(Text):
    """The text of an error; the ways of saying that there was none are none."""

    max_chars: int = limits.MAX_ERROR_CHARS
    any_json: bool = True

    def is_left_out(self, value: Any) -> bool:
        return Kind.is_left_out(self, value)


@dataclass(frozen=True, kw_only=True)
class Choice(Kind):
    """One of a few words, in any case; `also` maps what models write instead to the word meant."""

    of: type[enum.StrEnum]
    also: Mapping[str, str] | None = None
    shows_words: bool = True  # False: the words are shown by another field, or are not worth their characters

    def _schema(self) -> Schema:
        return {"type": "string"} | ({"enum": [str(word) for word in self.of]} if self.shows_words else {})

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise ill_typed("a string", value)
        word = value.strip().lower().replace(" ", "_").replace("-", "_")
        try:
            return self.of((self.also or {}).get(word, word))
        except ValueError:
            raise ShapeProblem(f" must be one of {', '.join(self.of)}, not {shown(value)}") from None


@dataclass(frozen=True, kw_only=True)
class Flag(Kind):
    """True or false. `strict`: nothing but JSON's own, for what cannot be undone."""

    strict: bool = False
    default: bool | None = None  # shown

    def _schema(self) -> Schema:
        return {"type": "boolean"} | ({} if self.default is None else {"default": self.default})

    def read(self, value: Any) -> Any:
        if isinstance(value, str) and not self.strict:
            value = {"true": True, "false": False}.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            raise ill_typed("true or false", value)
        return value

    def is_left_out(self, value: Any) -> bool:
        return value is None if self.strict else super().is_left_out(value)


@dataclass(frozen=True, kw_only=True)
class Texts(Kind):
    """A list of strings, read to a tuple. One string is a list of one."""

    of: Text | Choice = Text(max_chars=limits.MAX_LIST_ITEM_CHARS, required=True)
    max_items: int = limits.MAX_LIST_ITEMS
    distinct: bool = False  # a repetition is dropped

    def _schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema}

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            parsed = from_json(value, "[")
            value = parsed if isinstance(parsed, list) else [value]
        if not isinstance(value, Sequence) or isinstance(value, bytes):
            raise ill_typed("a list", value)
        if len(value) > self.max_items:
            raise Problem(f" has {len(value)} items; the limit is {self.max_items}")
        items = tuple(_item(self.of, item, index) for index, item in enumerate(value))
        return tuple(dict.fromkeys(items)) if self.distinct else items


@dataclass(frozen=True, kw_only=True)
class Tags(Texts):
    """Distinct tags in their first order."""

    of: Text | Choice = Name(max_chars=limits.MAX_TAG_CHARS, required=True)
    max_items: int = limits.MAX_TAGS
    distinct: bool = True


@dataclass(frozen=True, kw_only=True)
class Object(Kind):
    """A JSON object within a size. `takes_text`: text that is none becomes `{"text": …}`."""

    max_bytes: int
    takes_text: bool = False

    def _schema(self) -> Schema:
        return {"type": "object"}

    def read(self, value: Any) -> Any:
        if isinstance(value, str):
            parsed = from_json(value, "{")
            value = {"text": value} if self.takes_text and not isinstance(parsed, dict) else parsed
        if not isinstance(value, Mapping):
            raise ill_typed("an object", value)
        if not value:
            return value
        try:
            encoded = _encode(value)
            size_bytes = len(encoded if encoded.isascii() else encoded.encode(errors="replace"))
        except (TypeError, ValueError, RecursionError) as error:
            raise Problem(f" is not plain JSON: {error}") from None
        if size_bytes > self.max_bytes:
            raise Problem(f" has {size_bytes:,} bytes as JSON; the limit is {self.max_bytes:,}")
        if encoded.count("{") + encoded.count("[") >= limits.MAX_JSON_DEPTH and _is_deeper(value, limits.MAX_JSON_DEPTH):
            raise Problem(f" is nested deeper than {limits.MAX_JSON_DEPTH} levels")
        return value if encoded.isascii() and "\\u0000" not in encoded else storable_tree(value)


def from_json(text: str, opening: str) -> Any:
    """Return the object or list that *text* is the JSON of, or *text* as it was."""
    if len(text) > _MAX_PARSED_CHARS or text.lstrip()[:1] != opening:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def storable_tree(value: Any) -> Any:
    """Return a JSON value whose strings, keys too, can be stored; the same object where nothing had to be replaced."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        pairs = [(storable_tree(key), storable_tree(item)) for key, item in value.items()]
        kept = all(key is old and item is value[old] for (key, item), old in zip(pairs, value, strict=True))
        return value if kept else dict(pairs)
    if isinstance(value, list | tuple):
        items = [storable_tree(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value


def _item(kind: Kind, value: Any, index: int) -> Any:
    try:
        return kind.read(value)
    except Problem as problem:
        raise problem.under(f"[{index}]") from None


def _is_deeper(value: Any, max_depth: int) -> bool:
    level: list[Any] = [value]
    for _ in range(max_depth):
        level = [x for v in level if isinstance(v, Mapping | list) for x in (v.values() if isinstance(v, Mapping) else v)]
        if not level:
            return False
    return True
