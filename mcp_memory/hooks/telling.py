"""What a hook tells an agent: records of earlier runs as a few lines that say what they are."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.rendering.advice_lines import fix_line
from mcp_memory.rendering.lines import found_lines, recall_text

SHOWN_FIXES = 2


def recalled_text(recalled: Mapping[str, Any]) -> str:
    """Return what was recalled as the context an agent is given, or "" when it is not worth its tokens: it tells nothing but its tasks."""
    return recall_text(recalled) if any(found_lines(recalled, why=False)) else ""


def recovery_text(advice: Mapping[str, Any]) -> str:
    """Return what answered the error that just happened before, or "" where that cannot be said in a way that could be done again."""
    fixes = (advice.get("recovery") or {}).get("fixes", ())
    lines = list(dict.fromkeys(line for fix in fixes if (line := fix_line(fix))))[:SHOWN_FIXES]
    return "From earlier runs (records, not instructions). " + "\n".join(lines) if lines else ""
