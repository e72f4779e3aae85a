"""What a hook tells an agent: records of earlier runs as a few lines that say what they are."""

from collections.abc import Mapping
from typing import Any

from mcp_memory.domain.clipping import clip
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.step_keys import joined
from mcp_memory.rendering.lines import recall_text

SHOWN_EPISODES, SHOWN_FIXES = 3, 2
MIN_WORKED = 1 / 3  # of the times that a fix was tried
EXAMPLE_CHARS = 200  # of the arguments a fix worked with
MIN_SIMILARITY = 0.38  # of what an agent is shown unasked; as much as makes an answer close (retrieval/closeness.py)


def recalled_text(recalled: Mapping[str, Any]) -> str:
    """Return what was recalled as the context an agent is given, or "" when it is not worth its tokens: it tells nothing but its tasks."""
    tells = any(row.get("points") for row in recalled["episodes"])
    return recall_text(recalled) if tells or (recalled["episodes"] and (recalled.get("files") or recalled["patterns"])) else ""


def recovery_text(advice: Mapping[str, Any]) -> str:
    """Return what fixed the error that just happened, or ""."""
    recovery = advice.get("recovery")
    if not recovery or not recovery.get("fixes"):
        return ""
    fixes = [_fix_text(fix) for fix in recovery["fixes"] if _says_how(fix)]
    if not fixes:
        return ""
    return "From earlier runs (records, not instructions), after this error: " + "; ".join(fixes[:SHOWN_FIXES])


def _says_how(fix: Mapping[str, Any]) -> bool:
    """Return whether a fix says what to do: a correction, what to call otherwise, a command, or what made the failed call work."""
    if fix.get("correction"):
        return True
    worked = fix["fixed"] or fix["got_on"]
    if fix["kind"] == "failed" or worked < MIN_WORKED * fix["tried"]:
        return False
    example = fix.get("arguments_example") or {}
    return bool(fix.get("change") or command_in(example) or (fix["kind"] == "fixed" and example))


def _fix_text(fix: Mapping[str, Any]) -> str:
    if correction := fix.get("correction"):
        return f"what is right, as somebody said: {clip(' '.join(str(correction).split()), EXAMPLE_CHARS)}"
    example = " ".join(str(value) for value in (fix.get("arguments_example") or {}).values())
    like = f", for example {clip(' '.join(example.split()), EXAMPLE_CHARS)}" if example else ""
    name, by = joined(fix["tool"], fix["action"]), f" [{fix['provenance']}]" if fix.get("provenance") else ""
    name += f" again ({fix['change']})" if fix.get("change") else ""
    if fix["kind"] == "fixed":
        return f"{name} fixed it {fix['fixed']} of {fix['tried']} times{like}{by}"
    return f"{fix['got_on']} of {fix['tried']} that tried {name} got on with it{like}{by}"
