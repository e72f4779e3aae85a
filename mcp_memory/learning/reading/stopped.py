"""Where a run stopped that changed nothing: code it gave a shell, the script it spent its steps on, the last place it looked at. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.code_lines import statements
from mcp_memory.learning.reading.edits import FILE_HEAD, NEXT
from mcp_memory.learning.reading.file_uses import same_file
from mcp_memory.learning.reading.run import is_mistyped, message_of

MAX_TYPED_CHARS, MAX_ERROR_CHARS = 140, 90
MOST, MIN_STEPS = 0.6, 6  # of its steps, from which a run spent them on one thing; of how many at least
OWN_FILES = "files of its own"
_SHOWN = re.compile(r"Assert")  # that what was to be shown was
_REMOVES = re.compile(r"\brm\s[^\n;&|]*")
_LINE = re.compile(r"\d{1,6}")


@dataclass(frozen=True, slots=True)
class Stopped:
    """Where a run stopped, as far as its steps show it."""

    typed: str = ""  # code that it gave a shell in the end, which could not read it
    script: str = ""  # of its own, to try something out: all that it left; where it spent its steps on several, that it is these
    spent: int = 0  # steps on that, where these were most
    of: int = 0  # steps in all
    error: str = ""  # with which the last run of that failed
    place: str = ""  # the file with the line that it looked at last

    @classmethod
    def of_run(cls, episode: Episode, own: Sequence[str], read: Sequence[str]) -> "Stopped":
        """Read it off a run.

        Args:
            episode: With its steps.
            own: Names of the files that it made.
            read: Files that it read, as they are called.
        """
        steps = [step for step in episode.steps if role_of(step.key) is not Role.PASSES]
        gone = " ".join(found[0] for step in steps if not step.failed for found in _REMOVES.finditer(command_in(step.arguments)))
        tries = [name for name in own if is_scratch(name) and name not in episode.task and name not in gone]
        about = [path for step in steps if (path := _file_of(step, own)) is not None]
        spent = len(about) if tries else 0
        is_most = spent >= MOST * len(steps) and len(steps) >= MIN_STEPS
        last = steps[-1] if steps else None
        typed = _code(command_in(last.arguments)) if last and is_mistyped(last) else ""
        ran = next((step for step in reversed(steps) if tries and tries[-1] in command_in(step.arguments)), None)
        error = shorten(message_of(ran), MAX_ERROR_CHARS) if ran and ran.failed and not is_mistyped(ran) else ""
        error = "" if _SHOWN.match(error) else error
        script = OWN_FILES if is_most and set(about) != {tries[-1]} else tries[-1] if tries else ""
        return cls(typed, script, spent if is_most else 0, len(steps), error, _place(steps, read))


def _file_of(step: Step, own: Sequence[str]) -> str | None:
    """Return which of its own files a step was about, by its arguments or by what an editor answered; None where it was about none."""
    said = " ".join(str(value)[:MAX_TYPED_CHARS] for value in step.arguments.values())
    head = FILE_HEAD.search(step.observation)
    return next((name for name in own if name in said or (head and same_file(head[1], name))), None)


def _code(command: str) -> str:
    lines = [line.strip() for line in command.splitlines() if line.strip()]
    return shorten(NEXT.join(statements(lines)), MAX_TYPED_CHARS)


def _place(steps: Sequence[Step], read: Sequence[str]) -> str:
    """Return the line of a file that a run went to last, "" where its last look names none: after a scroll it was somewhere else."""
    for step in reversed(steps):
        head = FILE_HEAD.search(step.observation) if not step.failed and role_of(step.key) is Role.LOOKS else None
        if head and (name := next((path for path in read if same_file(path, head[1])), "")):
            line = next((str(value) for value in step.arguments.values() if _LINE.fullmatch(str(value))), "")
            return f"{name}:{line}" if line else ""
    return ""
