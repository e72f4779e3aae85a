"""Changing a configuration file: show the difference, back up, replace in one step."""

import difflib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mcp_memory.errors import InvalidInput

BACKUP_SUFFIX = ".before-mcp-memory"


@dataclass(frozen=True, slots=True)
class Change:
    """One file as it is and as it should be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """Return the change as a unified diff; "" when there is none."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True), str(self.path), str(self.path) + " (new)"
        )
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)


def plan(path: Path, edit: Callable[[str], str]) -> Change:
    """Return the change that *edit* makes of the file; an absent file is empty. Raises InvalidInput: unreadable, not JSON."""
    path = path.resolve()  # a link stays a link: the file behind it is edited
    try:
        before = path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", hint="Nothing was changed.") from error
    try:
        return Change(path, before, edit(before))
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}", hint=error.hint) from error


def apply(change: Change) -> Path | None:
    """Write the file and return its backup: None when there was no file or nothing changed."""
    if change.before == change.after:
        return None
    change.path.parent.mkdir(parents=True, exist_ok=True)
    backup = None
    if change.path.exists():
        backup = change.path.with_name(change.path.name + BACKUP_SUFFIX)
        shutil.copy2(change.path, backup)
    part = change.path.with_name(change.path.name + ".part")
    part.write_bytes(change.after.encode("utf-8"))
    if backup:
        shutil.copymode(change.path, part)
    part.replace(change.path)
    return backup


def hook_command() -> tuple[str, ...]:
    """Return the command for hooks: the installed script where there is one, since it starts faster than `python -m`."""
    script = Path(sys.executable).with_name("mcp-memory.exe" if sys.platform == "win32" else "mcp-memory")
    command = python_command()
    return (str(script),) if command[0] == sys.executable and script.exists() else command


def python_command() -> tuple[str, ...]:
    """Return the command that runs this program again: this Python, or uvx where it keeps the environment only for a while."""
    if "uv" in Path(sys.prefix).parts and any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts):
        return ("uvx", "mcp-episodic-memory")
    return (sys.executable, "-m", "mcp_memory")
