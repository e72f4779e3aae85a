"""Slips of an edit: a block that lost its indentation with it, a line that it doubled because its range began too late. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.episode import Step
from mcp_memory.learning.reading.edits import Edit, Hunk, line_shown

MAX_BLOCK = 400  # lines of an edit that are looked at
MIN_BLOCK = 6  # the first of them, among which another one must have moved as the first did


def shifted_block(steps: Sequence[Step], edit: Edit, lines: Sequence[str]) -> list[Hunk]:
    """Return the first line of an edit as a change where a block moved: it has another indentation than it had, and so has one below it.

    Of lines of which nobody had shown all: those that are known to have stood there are no change otherwise.

    Args:
        steps: Before the edit.
        edit: Of a range of lines.
        lines: That came, up to where some were cut out of the log.
    """
    now = [(i, text) for i, text in enumerate(lines[:MAX_BLOCK]) if text.strip()]
    before = line_shown(steps, edit.path, edit.line + now[0][0]) if now and edit.line else None
    if before is None or before == now[0][1] or before.strip() != now[0][1].strip():
        return []
    by = len(before) - len(now[0][1])
    was = (line_shown(steps, edit.path, edit.line + i) for i, _ in now[1:MIN_BLOCK])  # lines that came among them moved the others on
    moved = {len(old) - len(text) for old in was if old for _, text in now[1:MIN_BLOCK] if old.strip() == text.strip()}
    return [Hunk(edit.line + now[0][0], (before,), (now[0][1],))] if by in moved else []


def but_doubled(steps: Sequence[Step], hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """Return the hunks but a decorator that stands there twice: an edit that began a line too late or ended one too early."""
    return tuple(hunk for hunk in hunks if not _doubles(steps, hunk))


def _doubles(steps: Sequence[Step], hunk: Hunk) -> bool:
    if hunk.removed or len(hunk.added) != 1 or not hunk.added[0].strip().startswith("@"):
        return False
    line = re.escape(hunk.added[0])
    twice = re.compile(rf"^\+{line}\n {line}$|^ {line}\n\+{line}$|^\d+:{line}\n\d+:{line}$", re.M)  # in a diff, in a listing
    return any(twice.search(step.observation) for step in steps)
