"""A line of the interchange file on its way in: its times, and the names its episode may have here already."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp_memory.domain import parsing
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.times import as_milliseconds
from mcp_memory.errors import InvalidInput

_MAX_DIGITS = 40  # no field takes a number of more; Python itself refuses thousands, with advice for programmers


@dataclass(frozen=True, slots=True)
class IncomingLine:
    """An episode read from a line, and under what other names it may be here already."""

    episode: Episode
    same_as: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The external ids, or ids of ours, that would make it a known one."""
        return (self.episode.external_id, *self.same_as) if self.episode.external_id else self.same_as


def other_names(line: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line's `same_as`. Raises InvalidInput: it is no list of ids."""
    given = line.get("same_as")
    if not isinstance(given, list | None):
        raise InvalidInput("`same_as` must be a list of ids")
    return tuple(parsing.identifier("same_as", name) for name in given or ())


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
