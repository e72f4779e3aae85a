"""Secrets are replaced before anything is parsed, indexed or stored; what was replaced is counted, never kept."""

from collections.abc import Mapping
from typing import Any, TypeVar

from mcp_memory.domain.requests.base import Request
from mcp_memory.metrics import Metrics
from mcp_memory.redaction import redact_field, redact_record

R = TypeVar("R", bound=Request)

# Ids of our own: looked up among what is stored, so a secret there is refused and never written.
_OURS = frozenset({"checkpoint_id", "from_id", "to_id", "target_id"})
# Ids that others may have made, and what episodes are told apart by. An `episode_id` may be new: `start_episode` takes a prepared one.
_IDS = frozenset({"episode_id", "parent_id", "external_id", "follows", "parent", "project", "recommendation_id", "used_ids", "same_as"})


class Redacting:
    """Replaces secrets in what a caller wants stored. With `enabled` false everything passes as it is.

    Counters: `redacted`, and `redacted.<rule>` for each rule.
    """

    def __init__(self, enabled: bool, metrics: Metrics) -> None:
        self._enabled, self._metrics = enabled, metrics

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

    def _count(self, found: list[str]) -> None:
        if found:
            self._metrics.count("redacted", len(found))
            for rule in found:
                self._metrics.count(f"redacted.{rule}")


def _clean(asked: R, found: list[str]) -> R:
    changed: dict[str, Any] = {}
    for name in asked.__struct_fields__:
        value = getattr(asked, name)
        if isinstance(value, tuple) and value and isinstance(value[0], Request):
            new: Any = _cleaned(value, found)
        else:
            new = redact_field(name, value, found, ours=_OURS, ids=_IDS)
        if new is not value:
            changed[name] = new
    return asked.but(**changed) if changed else asked


def _cleaned(records: tuple[Request, ...], found: list[str]) -> tuple[Request, ...]:
    new = tuple(_clean(record, found) for record in records)
    return new if any(item is not old for item, old in zip(new, records, strict=True)) else records
