"""Whether one shell command is another given otherwise: by `sudo`, with a variable, with an option, in another folder. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from mcp_memory.domain.commands import ASSIGNMENT, SPLIT, WRAPPING, carrier_words, is_piped, program_of, without_passing_on
from mcp_memory.domain.step_keys import SHELL
from mcp_memory.domain.step_roles import Role, role_of, runs_tests

MAX_CHARS = 1_000  # of a command that is compared: what is longer is a script
_FOLDER_PROGRAMS = frozenset({"cd", "pushd"})
_IDLE = frozenset(["time", "nice", "command", "exec", "stdbuf", "set", "true", "clear", "alias", "unset"])  # what makes nothing work
_OF_WRAPPER = re.compile(r"-.*|\d+[smhd]?")
_JOINING = frozenset({"&&", ";", "\n"})  # what lets the next part run; `||` does in the other case
_SILENCED = re.compile(r"\d?>&\d|[12&]?>\s*/dev/null")
# What errors say where a command was given in a place that lacks something.
_MISSING = re.compile(r"\b(?:no|not|nothing|missing|enoent|without|outside|specify)\b|n't\b|cannot|unable", re.I)


class Otherwise(NamedTuple):
    """What a command has that another has not, and what it lacks, each a part that can be told; `folder` is the one it changes to."""

    added: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    folder: str = ""


class _Part(NamedTuple):
    before: tuple[str, ...]  # assignments, `sudo`
    words: tuple[str, ...]


class _Form(NamedTuple):
    folders: tuple[str, ...]
    parts: tuple[_Part, ...]


def given_otherwise(failed: str, later: str, error: str) -> Otherwise | None:
    """Return in what a later command differs from one that failed with an *error*, where it is the same one given otherwise; else None.

    The folder alone makes that difference only after an error that says something is missing: tests that fail are those of another place.

    >>> def added(failed, later, error=""): return (other := given_otherwise(failed, later, error)) and other.added + (other.folder,)
    >>> added("mvn -q package", "export JAVA_HOME=/opt/jdk && mvn -q package"), added("apt install jq", "sudo apt install jq")
    (('JAVA_HOME=/opt/jdk', ''), ('sudo', ''))
    >>> added("npm run build", "npm ci && CI=1 npm run build"), added("npm i", "npm i --force"), added("pytest", "pytest -x a.py")
    (('npm ci', 'CI=1', ''), ('--force', ''), None)
    >>> added("go build", "cd api && go build", "go.mod file not found"), added("go test", "cd api && go test", "FAIL TestA")
    (('cd api',), None)
    >>> added("make", "make"), added("make || true", "CC=gcc make"), added("rm a", "rm b")
    (None, None, None)
    """
    before, after = _failed_form(failed), _later_form(later)
    if before is None or after is None or before.parts[-1].words[0] != after.parts[-1].words[0] or failed.strip() == later.strip():
        return None
    *first, last = before.parts
    *prepared, again = after.parts
    differs = _words_differ(last.words, again.words)
    if differs is None or not {part.words for part in first} <= {part.words for part in prepared}:
        return None
    known = {part.words for part in first}
    new = [" ".join((*part.before, *part.words)) for part in prepared if part.words not in known and _matters(part)]
    told = [text.removeprefix("export ") for text in new]
    added = (*told, *(word for word in again.before if word not in last.before), *differs.added)
    left_out = (*(word for word in last.before if word not in again.before), *differs.left_out)
    folder = f"cd {after.folders[-1]}" if after.folders and after.folders != before.folders else ""
    if folder and before.folders:
        return None
    moved = after.folders != before.folders
    return Otherwise(added, left_out, folder) if added or left_out or (moved and _MISSING.search(error)) else None


@lru_cache(maxsize=2_000)
def _failed_form(command: str) -> _Form | None:
    return _form(without_passing_on(command)) if len(command) <= MAX_CHARS else None


@lru_cache(maxsize=2_000)
def _later_form(command: str) -> _Form | None:
    """Return the form of a command of which it is known how it ended."""
    return None if len(command) > MAX_CHARS or is_piped(command) else _form(command)


def _form(command: str) -> _Form | None:
    """Return a command as its parts; None for what is no chain of a few commands, each run after the one before."""
    if "<<" in command:
        return None
    texts, start = [], 0
    for found in SPLIT.finditer(command):
        if found.group(1) and found.group(1) not in _JOINING and found.group(1) != "|":
            return None
        if found.group(1) in _JOINING:
            texts.append(command[start : found.start()])
            start = found.end()
    parts = [part for text in (*texts, command[start:]) if (part := _part(text)).words or part.before]
    folders = tuple(part.words[1] for part in parts if _changes_folder(part))
    doing = tuple(part for part in parts if not _changes_folder(part))
    return _Form(folders, doing) if doing and doing[-1].words else None


def _changes_folder(part: _Part) -> bool:
    return len(part.words) > 1 and part.words[0] in _FOLDER_PROGRAMS


def _part(text: str) -> _Part:
    words = _SILENCED.sub(" ", text).split()
    at = carrier_words(words)
    while at < len(words) and (ASSIGNMENT.match(words[at]) or words[at] in WRAPPING or (at and _OF_WRAPPER.fullmatch(words[at]))):
        at += 1
    return _Part(tuple(word for word in words[:at] if word not in _IDLE), tuple(words[at:]))


def _matters(part: _Part) -> bool:
    """Return whether a part that comes before a command can have made it work: a look, or what only sets the shell's own ways, cannot."""
    program = program_of(" ".join(part.words))
    return program not in _IDLE and role_of(f"{SHELL}:{program}") is Role.ACTS


def _words_differ(before: Sequence[str], after: Sequence[str]) -> Otherwise | None:
    """Return the options that one of two commands has besides; None where they differ in more, or where options choose what is tested."""
    if tuple(before) == tuple(after):
        return Otherwise()
    longer, shorter = (after, before) if len(after) > len(before) else (before, after)
    if longer[:1] != shorter[:1] or runs_tests(program_of(" ".join(longer))):
        return None
    options: list[str] = []
    at, takes_value = 0, False
    for word in longer:
        if at < len(shorter) and word == shorter[at]:
            at, takes_value = at + 1, False
        elif word.startswith("-"):
            options.append(word)
            takes_value = "=" not in word
        elif takes_value:
            options[-1], takes_value = f"{options[-1]} {word}", False
        else:
            return None
    if at < len(shorter):
        return None
    return Otherwise(tuple(options)) if longer is after else Otherwise((), tuple(options))
