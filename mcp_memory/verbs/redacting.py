"""Secrets are replaced before anything is parsed, indexed or stored; what was replaced is counted, never kept."""

from collections.abc import Mapping
from typing import Any, TypeVar

from mcp_memory.domain.requests.base import Request
from mcp_memory.metrics import Metrics
from mcp_memory.redaction import redact, redact_tree

R = TypeVar("R", bound=Request)

# Ids and enum values: checked against what is stored or allowed, so a secret there is refused or never written.
_LEFT_ALONE = frozenset(
    {"episode_id", "parent_id", "external_id", "follows", "parent", "checkpoint_id", "from_id", "to_id", "recommendation_id", "project"}
)


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
        clean = {name: value if name in _LEFT_ALONE else redact_tree(name, value, found) for name, value in raw.items()}
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

    def text(self, value: str) -> str:
        """Return *value* without secrets."""
        if not self._enabled:
            return value
        clean, found = redact(value)
        self._count(found)
        return clean

    def _count(self, found: list[str] | tuple[str, ...]) -> None:
        if found:
            self._metrics.count("redacted", len(found))
            for rule in found:
                self._metrics.count(f"redacted.{rule}")


def _clean(asked: R, found: list[str]) -> R:
    changed: dict[str, Any] = {}
    for name in asked.__struct_fields__:
        value = getattr(asked, name)
        if isinstance(value, tuple) and value and isinstance(value[0], Request):
            new: Any = tuple(_clean(item, found) for item in value)
            is_changed = any(item is not old for item, old in zip(new, value, strict=True))
        else:
            new = value if name in _LEFT_ALONE else redact_tree(name, value, found)
            is_changed = new is not value
        if is_changed:
            changed[name] = new
    return asked.but(**changed) if changed else asked
