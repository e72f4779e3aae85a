"""Names of another run's case among the arguments of its commands: `cart` in `kubectl logs cart`. Pure.

A word after the program and its verb is a name of that case where the task gave it, where an answer before had told it, or where it has a
digit. What neither says (`pods` in `kubectl get pods`) is as it is everywhere.
"""

import re
from collections.abc import Callable

from mcp_memory.domain.commands import SPLIT, program_of
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.text_words import STOP_WORDS

NAME = "<name>"
MIN_NAME_CHARS = 3
MAX_SEEN_CHARS, MAX_SEEN = 4_000, 40  # of one answer, and answers before a command, in which its words are looked for
_WORD = re.compile(r"(?<![\w./<$-])[A-Za-z][\w-]*\w(?![\w./(>])")


def without_names(command: str, episode: Episode, index: int, is_own: Callable[[str], bool]) -> str:
    """Return a command with the names in it replaced that are of its own case, but for those that are the reader's own.

    Args:
        command: Of the step.
        episode: The step's, with the steps before it.
        index: Of the step.
        is_own: Whether the reader's run has a word.
    """
    parts, start = [], 0
    for found in SPLIT.finditer(command):
        if found[1]:
            parts += [_named(command[start : found.start()], episode, index, is_own), found[1]]
            start = found.end()
    return "".join([*parts, _named(command[start:], episode, index, is_own)])


def _named(part: str, episode: Episode, index: int, is_own: Callable[[str], bool]) -> str:
    program = frozenset(program_of(part).split())

    def shown(found: re.Match[str]) -> str:
        word = found[0]
        is_name = len(word) >= MIN_NAME_CHARS and word not in program and word.casefold() not in STOP_WORDS
        return NAME if is_name and not is_own(word) and _is_of_case(word, episode, index) else word

    return _WORD.sub(shown, part)


def _is_of_case(word: str, episode: Episode, index: int) -> bool:
    """Return whether a word came from the task or from an answer before the step, or looks like a thing's own name."""
    if any(map(str.isdigit, word)):
        return True
    whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.I)
    before = episode.steps[max(0, index - MAX_SEEN) : index]
    return any(whole.search(text) for text in (episode.task, *(step.observation[:MAX_SEEN_CHARS] for step in before)))
