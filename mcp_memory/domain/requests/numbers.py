"""Kinds of fields that hold a number or a time."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mcp_memory.domain import limits
from mcp_memory.domain.requests.kinds import Kind, Schema
from mcp_memory.domain.requests.problems import Problem, ill_typed, shown_number


@dataclass(frozen=True, kw_only=True)
class Whole(Kind):
    """A whole number in [low, high]. `rounds`: a fraction is rounded, for measurements."""

    low: int = 0
    high: int = limits.MAX_INT
    rounds: bool = False
    shows_bounds: bool = False
    default: int | None = None  # shown

    def _schema(self) -> Schema:
        bounds = {"minimum": self.low, "maximum": self.high} if self.shows_bounds else {}
        return {"type": "integer"} | bounds | ({} if self.default is None else {"default": self.default})

    def read(self, value: Any) -> Any:
        number = _number(value, "a whole number")
        if not self.low <= number <= self.high:
            raise Problem(f" must be between {self.low} and {self.high}, not {shown_number(number)}")
        if self.rounds:
            return round(number)
        if number != int(number):
            raise ill_typed("a whole number", value)
        return int(number)


@dataclass(frozen=True, kw_only=True)
class Fraction(Kind):
    """A number in [0, 1]."""

    shows_bounds: bool = False

    def _schema(self) -> Schema:
        return {"type": "number"} | ({"minimum": 0, "maximum": 1} if self.shows_bounds else {})

    def read(self, value: Any) -> Any:
        number = _number(value, "a number")
        if not 0 <= number <= 1:
            raise Problem(f" must be a number between 0 and 1, not {shown_number(number)}")
        return float(number)


@dataclass(frozen=True, kw_only=True)
class Number(Kind):
    """A number of at least 0."""

    def _schema(self) -> Schema:
        return {"type": "number", "minimum": 0}

    def read(self, value: Any) -> Any:
        number = _number(value, "a number")
        if not 0 <= number <= limits.MAX_INT:
            raise Problem(f" must be between 0 and {limits.MAX_INT}, not {shown_number(number)}")
        return float(number)


@dataclass(frozen=True, kw_only=True)
class Moment(Kind):
    """A time, read to epoch milliseconds: ISO 8601 (UTC where it names no zone), or milliseconds."""

    def _schema(self) -> Schema:
        return {"type": "string"}

    def read(self, value: Any) -> Any:
        if not isinstance(value, str):
            return Whole().read(value)
        try:
            moment = datetime.fromisoformat(value.strip())
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            raise Problem(" must be an ISO 8601 time such as 2026-01-31 or 2026-01-31T12:00:00Z") from None


def _number(value: Any, wanted: str) -> int | float:
    if isinstance(value, str):
        text = value.strip().replace("_", "?")  # Python's own digit grouping is nobody else's
        for convert in (int, float):
            try:
                value = convert(text)
                break
            except ValueError:
                continue
    if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and math.isnan(value)):
        raise ill_typed(wanted, value)
    return value
