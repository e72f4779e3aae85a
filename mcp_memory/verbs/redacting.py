"""Secrets are replaced before anything is parsed, indexed or stored; what was replaced is counted, never kept."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.metrics import Metrics
from mcp_memory.redaction import redact, redact_identifier, redact_record

# Ids of our own: looked up among what is stored, so a secret there is refused and never written.
_OURS = frozenset({"episode_id", "checkpoint_id", "from_id", "to_id", "target_id"})
# Ids that others may have made, and what episodes are told apart by.
_IDS = frozenset({"parent_id", "external_id", "follows", "parent", "project", "recommendation_id", "used_ids"})


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

    def identifier(self, value: str) -> str:
        """Return an id that others gave; one that holds a secret as its digest, the same each time."""
        if not self._enabled:
            return value
        found: list[str] = []
        clean: str = redact_identifier(value, found)
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
