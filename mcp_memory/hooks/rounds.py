"""Rounds of calls: a host tells each call alone, then all of a round together. Pure."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain import limits

Record = dict[str, Any]
_NEVER_MADE = "the host did not make this call"


def call_of(record: Record) -> dict[str, Any]:
    """Return what is kept of a call that was told alone, until its round's end."""
    return {name: record[name] for name in ("call", "step", "own", "episode_id", "interrupted") if name in record}


def joined(alone: Mapping[str, Any] | None, told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a call of a round with what was told of it alone. A call of which nothing was told alone was never made, or failed."""
    if alone is None:
        if "step" not in told or told.get("made"):
            return told
        text = told["step"].get("observation") or _NEVER_MADE
        return {**told, "step": {**told["step"], "status": "error", "error": text[: limits.MAX_ERROR_CHARS]}}
    if "step" not in alone or "step" not in told:
        return alone
    seen = alone["step"].get("observation", "")
    if (seen and not seen.startswith("{")) or alone["step"]["status"] != "ok":
        return alone
    return {**alone, "step": {**alone["step"], "observation": told["step"].get("observation") or seen}}
