"""Changing a configuration file: show the difference, back up, replace in one step."""

import difflib
import shutil
import site
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


HOOK_CODE = "from mcp_memory.hooks.client import main; main()"


def hook_command() -> tuple[str, ...]:
    """Return the command that hooks begin with, the event's name follows.

    Not the installed script: what an installer writes into it (`re`, and finding the entry point) takes as long as the rest of the hook.
    `-I` keeps the environment, the working folder and a person's own modules out; the code is on the command line, since a script file or
    module that is gone ends with status 2 or less clearly, and a host takes 2 for a veto: a missing import ends with 1.
    """
    command = python_command()
    if command[0] != sys.executable:
        return (*command, "hook")
    isolated = "-P" if _in_user_site() else "-I"  # -I does not look there
    return (sys.executable, isolated, "-c", HOOK_CODE)


def python_command() -> tuple[str, ...]:
    """Return the command that runs this program again: this Python, or uvx where it keeps the environment only for a while.

    `-P`: a host starts it in the folder of a project, whose modules must not come before ours.
    """
    if "uv" in Path(sys.prefix).parts and any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts):
        return ("uvx", "mcp-episodic-memory")
    return (sys.executable, "-P", "-m", "mcp_memory")


def _in_user_site() -> bool:
    return Path(site.getusersitepackages()) in Path(__file__).parents
