"""How a turn ended, when nobody said it: inferred as an import infers it, and said so in the summary."""

from collections.abc import Mapping, Sequence
from typing import Any

from mcp_memory.domain import limits
from mcp_memory.domain.clipping import clip
from mcp_memory.domain.inference import INFERRED, check_of, check_passed, infer_outcome
from mcp_memory.hooks.ledger import Turn

CUT_OFF = "the session was cut off"
UNANSWERED = "the session ended before the agent had answered"


def note(turn: Turn, steps: Sequence[Mapping[str, Any]]) -> None:
    """Note in *turn* whether its next steps check the work: a turn that was checked is completed when the agent stops."""
    turn.checked |= any(check_of(step) and check_passed(step) is not None for step in steps)


def outcome_of(turn: Turn, steps: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return the outcome and the summary of a turn that is over; the summary ends with what the outcome was inferred from."""
    found, reason = infer_outcome(steps, turn.answer, next_words=turn.next_words, interrupted=turn.interrupted, cut_off=bool(turn.stopped))
    mark = f"{INFERRED}{f'{turn.stopped}: ' if turn.stopped else ''}{reason}."
    return str(found["kind"]), f"{clip(turn.answer, limits.MAX_NOTE_CHARS - len(mark) - 1)}\n{mark}".strip()
