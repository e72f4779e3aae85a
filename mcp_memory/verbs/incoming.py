"""A line of the interchange file on its way in: its times, and the names its episode may have here already."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mcp_memory.domain import limits
from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.domain.requests.kinds import Name, Text
from mcp_memory.domain.requests.problems import Problem
from mcp_memory.domain.times import as_milliseconds
from mcp_memory.errors import InvalidInput

BATCH_LINES = 100  # episodes of one transaction
BATCH_CHARS = 16_000_000  # of their lines, as far as one line is not longer: what is in memory at a time
_MAX_DIGITS = 40  # no field takes a number of more; Python itself refuses thousands, with advice for programmers


def other_names(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line's `same_as`. Raises InvalidInput: it is no list of ids."""
    given = line.get("same_as")
    if not isinstance(given, list | None):
        raise InvalidInput("`same_as` must be a list of ids")
    return tuple(_identifier("same_as", name) for name in given or ())


def names_of(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the external ids, or ids of ours, that would make a line's episode a known one. Raises InvalidInput: they are no ids."""
    external_id = line.get("external_id")
    return other_names(line) if external_id is None else (_identifier("external_id", external_id), *other_names(line))


def project_of(line: Mapping[str, Any]) -> str:
    """Return the project a line names, "" where it names none. Raises InvalidInput: it is no name."""
    return _read(Name(), "project", line.get("project") or "")


def earlier_names(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that a line's project may be kept under already. Raises InvalidInput: they are none."""
    given = line.get("project_before")
    if not isinstance(given, list | None):
        raise InvalidInput("`project_before` must be a list of names")
    return tuple(_read(Name(), "project_before", name) for name in given or ()) if line.get("project") else ()


def _identifier(field: str, value: Any) -> str:
    return _read(Text(max_chars=limits.MAX_ID_CHARS, may_be_empty=False), field, value)


def _read(kind: Text, field: str, value: Any) -> str:
    try:
        return str(kind.read(value))
    except Problem as problem:
        raise problem.under(field) from None


def in_milliseconds(line: Mapping[str, Any], converted: Counter[str]) -> dict[str, Any]:
    """Return *line* with its times in milliseconds, where they are in another unit beyond doubt; count those by their unit."""
    changed = _changed(line, ("started_at_ms", "ended_at_ms"), converted)
    if isinstance(steps := line.get("steps"), list):
        changed["steps"] = [_changed(step, ("at_ms",), converted) if isinstance(step, dict) else step for step in steps]
    return changed


def _changed(holder: Mapping[str, Any], names: Sequence[str], converted: Counter[str]) -> dict[str, Any]:
    changed = dict(holder)
    for name in names:
        value = holder.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            milliseconds, unit = as_milliseconds(value)
            if unit:
                changed[name] = milliseconds
                converted[unit] += 1
    return changed


def parsed_json(line: str | bytes) -> Any:
    """Return a line of JSON. Raises ValueError: it is none, NaN and Infinity included; OverflowError: a number of thousands of digits."""
    return json.loads(line, parse_constant=_refuse, parse_int=_whole)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _whole(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise OverflowError
    return int(digits)


def next_lines(source: Iterator[str | bytes]) -> list[str | bytes]:
    """Return the next lines that are imported together; none at the end."""
    batch: list[str | bytes] = []
    chars = 0
    for line in source:
        batch.append(line)
        chars += len(line)
        if len(batch) >= BATCH_LINES or chars >= BATCH_CHARS:
            break
    return batch


def known_fields(found: Mapping[str, Any], record: type[Request], ignored: Counter[str], prefix: str) -> dict[str, Any]:
    """Return what was found in the fields of *record*, unknown times left out; count the other fields under *prefix*."""
    fields = fields_of(record)
    for name in found.keys() - fields.keys():
        ignored[prefix + str(name)[:60]] += 1
    return {name: value for name, value in found.items() if name in fields and not (name.endswith("at_ms") and value == 0)}
