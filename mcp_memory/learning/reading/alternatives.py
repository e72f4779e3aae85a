"""Whether a step that worked after a failed one can have done its job: about the same thing, and more than making room for it. Pure."""

import re
from collections.abc import Sequence

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.step_roles import runs_tests
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.edits import written_by

MIN_WORD_CHARS = 4
MAX_CHARS = 2_000  # of arguments that are compared
_PREPARES = re.compile(r"(?:^|:)(?:mkdir|touch|chmod|rm|create)\b")
_WORD = re.compile(r"[^\W\d_][\w-]*\w")
_COMMON_TEXT = "true false none null import from return self print with this that args path file text content command"
_COMMON = frozenset(_COMMON_TEXT.split())


def did_the_job(steps: Sequence[Step], failed: int, by: int) -> bool:
    """Return whether the step *by* can have done what the failed one was to do.

    Writing a file is no answer to a call that did not work, nor is making a folder; what shares no word with it is about something else.

    >>> search, look = Step("find_file", arguments={"args": "conftest"}), Step("bash", arguments={"command": "grep -rn conftest"})
    >>> did_the_job([search, look], 0, 1), did_the_job([search, Step("bash", arguments={"command": "mkdir conftest"})], 0, 1)
    (True, False)
    >>> push, first = (Step("bash", arguments={"command": command}) for command in ("git push", "git push -u origin main"))
    >>> did_the_job([push, first], 0, 1)
    True
    """
    step = steps[by]
    if _PREPARES.search(step.key):
        return False
    change = change_of(steps, by)
    if change is not None and (written_by(step) or not change.says_what) and steps[failed].key != step.key:
        return False
    about = _words(steps[failed])
    return bool(about & _words(step)) or (not about and _names_more(steps[failed], step))


def _names_more(failed: Step, step: Step) -> bool:
    """Return whether a step is a failed command that named nothing, told what it is about: `git push -u origin main` after `git push`."""
    before, after = (command_in(s.arguments).split() for s in (failed, step))
    is_same = bool(before) and failed.key == step.key and not runs_tests(step.key)
    return is_same and len(before) < len(after) and after[: len(before)] == before


def _words(step: Step) -> frozenset[str]:
    """Return what a call is about: its words without the tool's and the program's own."""
    text = command_in(step.arguments) or step.description or " ".join(map(str, step.arguments.values()))
    said = frozenset(word.casefold() for word in _WORD.findall(text[:MAX_CHARS]) if len(word) >= MIN_WORD_CHARS)
    return said - _COMMON - frozenset(word.casefold() for word in _WORD.findall(step.key))
