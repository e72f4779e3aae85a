"""Changing a configuration file: plan it, show the difference, keep what was there, replace it in one step."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_memory import plain_files as files
from mcp_memory.cli.install import records
from mcp_memory.cli.install.formats import format_of
from mcp_memory.errors import InvalidInput

TextEdit = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Edit:
    """What to do with one file."""

    path: Path
    put: Sequence[TextEdit]  # put ours in, in this order; nothing to uninstall
    take_out: Sequence[TextEdit]  # take all of ours out
    within: Path | None = None  # the project's folder, which the file must not leave


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is and as it should be; None where there is none."""

    path: Path
    before: str | None
    after: str | None
    record: records.Record | None  # what is known from earlier, or what is to be kept
    uninstalls: bool = False
    within: Path | None = None

    @property
    def diff(self) -> str:
        """Return the change as a unified diff; "" when there is none."""
        old, new = (self.before or "").splitlines(keepends=True), (self.after or "").splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, str(self.path), str(self.path) + (" (new)" if self.after is not None else " (removed)"))
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)

    @property
    def is_none(self) -> bool:
        return self.before == self.after


def plan(edit: Edit) -> Change:
    """Return the change that *edit* makes. Raises InvalidInput: unreadable, a trap, not in its format."""
    path = files.real_path(edit.path, edit.within)
    try:
        content = files.read(path, edit.within)
        before = None if content is None else content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", hint="Nothing was changed.") from error
    try:
        record = records.load(path)
        if not edit.put:
            return Change(path, before, _uninstalled(before, record, edit), record, uninstalls=True, within=edit.within)
        if record is None or _in_turn(before or "", edit.take_out) == (before or ""):  # ours is not in it: what is there is the old
            record = records.Record(path, content)
        return Change(path, before, _in_turn(before or "", edit.put), record, within=edit.within)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", hint=error.hint) from error


def apply(change: Change) -> None:
    """Make the change. Raises InvalidInput when the system does not let us, with nothing changed."""
    if change.is_none:
        return
    try:
        if change.after is None:
            files.remove(change.path, change.record.made if change.record else [], change.within)
        else:
            _write(change, change.after.encode("utf-8"))
        if change.uninstalls and change.record:
            change.record.drop()
    except OSError as error:
        raise InvalidInput(f"{change.path} cannot be written: {error}", hint="Nothing was changed.") from error


def _write(change: Change, content: bytes) -> None:
    if change.record and not change.uninstalls:
        change.record.save(content)  # first: a crash in between leaves a record too many, not one too few
    # a file of the user's own may come to hold keys; a project's is for everybody
    made = files.write(change.path, content, change.within, mode=None if change.within else 0o600)
    if made and change.record and not change.uninstalls:
        change.record.made = made
        change.record.save(content)


def _uninstalled(before: str | None, record: records.Record | None, edit: Edit) -> str | None:
    """Return the file without us: as it was, when nobody else has changed what it says, else as it is without what is ours."""
    if before is None:
        return None
    if record and record.is_untouched(before.encode("utf-8")):
        return None if record.before is None else record.before.decode("utf-8")
    after = _in_turn(before, edit.take_out)
    if record is None or after == before:
        return after
    value = format_of(edit.path).value
    old = "" if record.before is None else record.before.decode("utf-8")
    if _bare(value(after)) != _bare(value(_in_turn(old, edit.take_out))):
        return after
    return None if record.before is None else old


def _bare(value: Any) -> Any:
    """Return what a file says without members that are empty: ours may have filled one, and it goes when nothing is left in it."""
    if not isinstance(value, dict):
        return value or {}
    bare = {key: _bare(member) if isinstance(member, dict) else member for key, member in value.items()}
    return {key: member for key, member in bare.items() if member not in ({}, [], None)}


def _in_turn(text: str, edits: Sequence[TextEdit]) -> str:
    for edit in edits:
        text = edit(text)
    return text
