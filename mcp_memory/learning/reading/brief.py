"""What a step did in a few words: what it changed, the command it gave, or its arguments. Pure."""

from collections.abc import Sequence

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.identifiers import distinct_words, is_full
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.change_lines import change_line
from mcp_memory.learning.reading.changes import change_of, is_scratch
from mcp_memory.learning.reading.code_lines import has_comments
from mcp_memory.learning.reading.edits import GAP, edits_of, patched_by
from mcp_memory.learning.reading.file_uses import root_in
from mcp_memory.learning.reading.left_changed import FileChange, hunks_of
from mcp_memory.learning.reading.shown_diffs import as_shown_later

MAX_BRIEF_CHARS = 200
COMMENT_ONLY = "comment only"
_WHOLE = 10_000  # characters of a change of which it is asked whether there is anything to tell


def brief(steps: Sequence[Step], index: int, max_chars: int = MAX_BRIEF_CHARS, *, near: str = "") -> str:
    """Return what a step did in a few words: its key with the change, the command, or the arguments.

    Of a change the lines are told first that have most words of the text that it should be *near*, as of the error that it answered.

    >>> brief([Step("bash", arguments={"command": "pip install yaml"})], 0)
    'bash `pip install yaml`'
    """
    step = steps[index]
    if change_of(steps, index):
        return f"{step.key} {step_change(steps, index, max_chars, near=near)}"
    if command := command_in(step.arguments):
        return f"{step.tool} `{shorten(' '.join(command.split()), max_chars)}`"
    if said := step.description:
        return f"{step.key} “{shorten(said, max_chars)}”"
    arguments = " ".join(f"{name}={value}" for name, value in step.arguments.items())
    return f"{step.key} {shorten(' '.join(arguments.split()), max_chars)}".strip()


def step_change(steps: Sequence[Step], index: int, max_chars: int, *, near: str = "", path: str = "") -> str:
    """Return the file that a step changed, and what; the file alone, with its line, where no line of it tells. "" for no change.

    Args:
        steps: Of the episode.
        index: The step's position.
        max_chars: Of the whole, but for the file's path.
        near: A text whose words the lines that are told first have.
        path: What the file is called instead of its path from the working folder, or, where that is not known, as it was given.
    """
    change = change_of(steps, index)
    if change is None:
        return ""
    name = path or named_from_root(steps, change.path)
    found = _changed_by(steps, index, change.path)
    if found is None:  # a file written as a whole
        return f"{name}{change.told(max_chars)}"
    line = change_line(FileChange(name, index, found.hunks), frozenset(distinct_words(near)), max_chars + len(name))
    where = f"{name}:{change.line}" if change.line else name
    return line or (f"{where}: {COMMENT_ONLY}" if _is_comment(found) else where)


def named_from_root(steps: Sequence[Step], path: str) -> str:
    """Return a path from the working folder on where the steps tell which that is, else as it was given."""
    return path.removeprefix(root_in(steps)) if is_full(path) else path


def _changed_by(steps: Sequence[Step], index: int, path: str) -> FileChange | None:
    """Return what a step changed in one file, by an edit or a patch; None where it wrote the file as a whole."""
    if edits := [edit for edit in edits_of(steps, index) if edit.path == path]:
        hunks = tuple(hunk for edit in edits for hunk in hunks_of(steps, edit, index))
        return as_shown_later(steps, FileChange(path, index, hunks))
    patched = next((found for found in patched_by(steps[index]) if found.path == path), None)
    return FileChange(path, index, patched.hunks, patched.is_whole) if patched else None


def _is_comment(change: FileChange) -> bool:
    """Return whether all that is known to have come or gone says nothing to a machine."""
    lines = [line for hunk in change.hunks for line in (*hunk.removed, *hunk.added) if line.strip() and line != GAP]
    sure = all(hunk.is_sure for hunk in change.hunks) and has_comments(change.path) and not is_scratch(change.path)
    return bool(lines) and sure and not change_line(change, frozenset(), _WHOLE)
