"""How a turn ended, when nobody said it: from the person's next words, an interruption, the last check, a commit. Every verdict says so."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip
from mcp_memory.domain.inference import check_of, check_passed
from mcp_memory.domain.user_words import verdict_of
from mcp_memory.hooks.ledger import Turn

UNSTATED = "Nobody said how it ended (recorded by the hook)."
CUT_OFF = "the session was cut off"
_QUOTED_CHARS = 120
_COMMIT = re.compile(r"\bgit\b[^|;&\n]*\bcommit\b(?![^|;&\n]*--dry-run)")


def note(turn: Turn, steps: Sequence[Mapping[str, Any]], first: int) -> None:
    """Note in *turn* what its next steps, of which the first has index *first*, show of how it goes."""
    for number, step in enumerate(steps, first):
        if (check := check_of(step)) and (passed := check_passed(step)) is not None:
            turn.check, turn.check_passed = f"step #{number} ({check})", passed
        command = step.get("arguments", {}).get("command")
        if step["status"] == "ok" and isinstance(command, str) and "commit" in command and _COMMIT.search(command):
            turn.commit = f"step #{number}"


def outcome_of(turn: Turn) -> tuple[str, str]:
    """Return the outcome and the summary of a turn that is over. The summary ends with what the outcome was inferred from."""
    kind, reason = _inferred(turn)
    mark = f"Outcome inferred: {reason}." if reason else UNSTATED
    return kind, f"{clip(turn.answer, limits.MAX_NOTE_CHARS - len(mark) - 1)}\n{mark}".strip()


def _inferred(turn: Turn) -> tuple[str, str]:
    checked = f"the last check, {turn.check}, {'passed' if turn.check_passed else 'failed'}" if turn.check else ""
    said = verdict_of(turn.next_words)
    quoted = f"the person's next words were {clip(' '.join(turn.next_words.split()), _QUOTED_CHARS)!r}"
    if said is False:
        return "failure", quoted
    if said:
        return ("success", quoted) if turn.check_passed or not turn.check else ("partial", f"{quoted}, though {checked}")
    if turn.interrupted:
        return "partial", "the person interrupted the work" + (f"; {checked}" if checked else "")
    if turn.stopped:
        return "partial", turn.stopped + (f"; {checked}" if checked else "")
    if checked:
        return ("success" if turn.check_passed else "failure"), checked
    if turn.commit:
        return "success", f"{turn.commit} committed the work, and no step checked it"
    return "partial", ""
