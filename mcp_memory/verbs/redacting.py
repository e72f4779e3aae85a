"""Secrets are replaced before anything is parsed, indexed or stored; what was replaced is counted, never kept."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from msgspec.structs import astuple

from mcp_memory.domain.requests.base import Request, fields_of
from mcp_memory.domain.requests.kinds import Choice, Flag
from mcp_memory.domain.requests.numbers import Fraction, Moment, Number, Whole
from mcp_memory.metrics import Metrics
from mcp_memory.redaction import look_for, redact_field, redact_record

R = TypeVar("R", bound=Request)

# Ids of our own: looked up among what is stored, so a secret there is refused and never written.
_OURS = frozenset({"checkpoint_id", "from_id", "to_id", "target_id"})
# Ids that others may have made, and what episodes are told apart by. An `episode_id` may be new: `start_episode` takes a prepared one.
_IDS = frozenset({"episode_id", "parent_id", "external_id", "follows", "parent", "project", "recommendation_id", "used_ids", "same_as"}) | {
    "record_id", "shown_ids", "shown_to",  # of an import
}  # fmt: skip


_UNTELLING = (Choice, Flag, Whole, Fraction, Number, Moment)
_HOLDS_MORE = (dict, list, tuple, Request, Mapping)  # the usual ones first
_INLINE_CHARS = 10_000  # some millisecond: what is longer would keep everybody else on the event loop waiting


class Redacting:
    """Replaces secrets in what a caller wants stored. With `enabled` false everything passes as it is.

    Counters: `redacted`, and `redacted.<rule>` for each rule.
    """

    def __init__(self, enabled: bool, metrics: Metrics) -> None:
        self._enabled, self._metrics = enabled, metrics
        self._turns = anyio.Lock(fast_acquire=True)

    def fields(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return *raw* without secrets in its strings, at any depth. Raises InvalidInput over the largest text limit."""
        if not self._enabled:
            return dict(raw)
        found: list[str] = []
        clean = redact_record(raw, found, ours=_OURS, ids=_IDS)
        self._count(found)
        return clean

    def request(self, asked: R) -> R:
        """Return *asked* without secrets in its texts, the same record where there are none."""
        if not self._enabled:
            return asked
        found: list[str] = []
        clean = _clean(asked, found)
        self._count(found)
        return clean

    async def in_turn(self, asked: Sequence[R]) -> list[R]:
        """Do the same for several requests, in a thread where they are long. Calls end in the order they were made: steps keep theirs."""
        is_long = sum(map(_chars, asked)) > _INLINE_CHARS
        if not is_long and not self._turns.locked():  # nothing comes between: this ends before the event loop turns
            return [self.request(one) for one in asked]
        async with self._turns:
            if is_long:
                return await anyio.to_thread.run_sync(lambda: [self.request(one) for one in asked])
            return [self.request(one) for one in asked]

    def _count(self, found: list[str]) -> None:
        if found:
            self._metrics.count("redacted", len(found))
            for rule in found:
                self._metrics.count(f"redacted.{rule}")


def _chars(value: Any) -> int:
    """Return about how many characters there are in a request, a mapping or a sequence."""
    if isinstance(value, Request):
        items: Any = astuple(value)
    else:
        items = value.values() if isinstance(value, dict | Mapping) else value
    total = 0
    for item in items:
        if isinstance(item, str):
            total += len(item)
        elif item and isinstance(item, _HOLDS_MORE):
            total += _chars(item)
    return total


@cache
def _telling(record: type[Request]) -> tuple[tuple[str, ...], Callable[[tuple[Any, ...]], tuple[Any, ...]]]:
    """Return the fields of a record that may hold a secret, not those for a number or one of a few words: their names, what picks them."""
    kinds = {name: field.kind for name, field in fields_of(record).items()}
    places = [place for place, name in enumerate(record.__struct_fields__) if not isinstance(kinds.get(name), _UNTELLING)]
    names = tuple(record.__struct_fields__[place] for place in places)
    if len(places) == 1:
        return names, lambda values: (values[places[0]],)
    return names, itemgetter(*places) if places else lambda values: ()


def _clean(asked: R, found: list[str]) -> R:
    changed: dict[str, Any] = {}
    names, telling = _telling(type(asked))
    values = telling(astuple(asked))
    look = look_for(zip(names, values, strict=True))
    if look is None:
        return asked
    for name, value in zip(names, values, strict=True):
        if not value:
            continue
        if isinstance(value, tuple) and isinstance(value[0], Request):
            new: Any = _cleaned(value, found)
        else:
            new = redact_field(name, value, found, ours=_OURS, ids=_IDS, look=look)
        if new is not value:
            changed[name] = new
    return asked.but(**changed) if changed else asked


def _cleaned(records: tuple[Request, ...], found: list[str]) -> tuple[Request, ...]:
    new = tuple(_clean(record, found) for record in records)
    return new if any(item is not old for item, old in zip(new, records, strict=True)) else records
