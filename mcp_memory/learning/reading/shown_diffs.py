"""What of an edit is new where its run shows a diff later: who gives a new text alone does not say what stood there before. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from mcp_memory.domain.episode import Step
from mcp_memory.learning.reading.edits import DIFF, GAP, Hunk, patched_by
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.reading.left_changed import FileChange


def as_shown_later(steps: Sequence[Step], change: FileChange) -> FileChange:
    """Return a change, as far as what went or came is not known, as the last diff of its file says that is shown after it.

    That is by the diff's places that have a line of it; where there is none, without the lines that stand there unchanged.
    """
    unsure = [hunk for hunk in change.hunks if not hunk.is_sure]
    if not unsure and change.is_whole:
        return change
    texts = [step for step in steps[change.step + 1 :] if not step.failed and DIFF in step.observation]
    shown = [(step, found) for step in texts for found in patched_by(step) if same_file(found.path, change.path)]
    if not shown:
        return change
    step, patched = shown[-1]
    lines = {line for hunk in change.hunks for line in _plain(hunk.added)}
    if own := [hunk for hunk in patched.hunks if not lines.isdisjoint(_plain(hunk.added))]:
        sure = [hunk for hunk in change.hunks if hunk.is_sure and not any(_share(hunk, other) for other in own)]
        return replace(change, hunks=(*own, *sure), is_whole=patched.is_whole)
    stood = frozenset(" ".join(line.split()) for line in step.observation.splitlines() if line.startswith(" "))
    left = [_without(hunk, stood) if not hunk.is_sure else hunk for hunk in change.hunks]
    return replace(change, hunks=tuple(hunk for hunk in left if hunk.added or hunk.removed))


def _plain(lines: Sequence[str]) -> frozenset[str]:
    """Return the lines that say something, blanks taken as one."""
    return frozenset(" ".join(line.split()) for line in lines if any(map(str.isalnum, line))) - {GAP}


def _share(a: Hunk, b: Hunk) -> bool:
    return not _plain(a.added).isdisjoint(_plain(b.added))


def _without(hunk: Hunk, stood: frozenset[str]) -> Hunk:
    """Return a hunk without the lines that stood there before; where each of the others stands stays known by the first of them."""
    kept = [i for i, line in enumerate(hunk.added) if line.strip() and " ".join(line.split()) not in stood]
    first = kept[0] if kept else 0
    return replace(hunk, line=hunk.line + first if hunk.line else 0, added=tuple(hunk.added[i] for i in kept))
