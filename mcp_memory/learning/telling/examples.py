"""Arguments of an earlier step as an example for this run: its own values, else placeholders by kind. Pure.

An example shows how a tool is called. A value of another case (a customer, a booking, what somebody wrote) is never right in this one, so
a value is shown only where this run has it, or where it says nothing of a case: a flag, a small number, a lower-case word, a file, a
command, code. Ids in commands and code are replaced as well.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.edit_arguments import CODE_TEXTS, FILES, FOLDERS, TEXTS
from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.offers import EMAIL
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.argument_changes import SETTING
from mcp_memory.learning.reading.case_names import without_names
from mcp_memory.learning.reading.case_values import renamed, without_ids
from mcp_memory.learning.reading.changes import is_scratch
from mcp_memory.learning.reading.shown_elements import is_of_page
from mcp_memory.learning.telling.acts import own_names, runs_own

MAX_ITEMS = 10  # of a list or an object
MAX_RUN_CHARS = 20_000  # of one observation in which values are looked for
MAX_COMMAND_CHARS = 100  # of a command of another task
SMALL = 100  # numbers below it are settings, not ids
_SMALL = re.compile(r"-?0*[0-9]{1,2}")
_CODE_TEXT = "command cmd args old new code script expression input pattern regex glob search replace"
_WRITTEN = frozenset([*TEXTS, "old", "new"])  # into a file
_CODE, _PLACE = frozenset([*CODE_TEXTS, *_CODE_TEXT.split()]), frozenset([*FILES, *FOLDERS])
_PROSE, _OF_CODE = frozenset(["text", "content"]), re.compile(r"[(){}\[\]=;<>\n]")  # which may be what somebody wrote to somebody, or code
_FILE_WORD = re.compile(r"\w\.\w|/")
_INTEGER = re.compile(r"(?<![\w.])\d+(?![\w.]*\w)")
_FORMULA = re.compile(r"=[A-Z][A-Z.]+\(")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?")
# Of an argument whose value is somebody's, however plain a word it is.
_PERSONAL = re.compile(
    r"(?:.*_)?(?:user|user_?name|login|account|pass(?:word|wd|code|phrase)?|pin|token|secret|(?:api|access)_?key|(?:first|last|full|sur)_?name"
    r"|author|owner|assignee|recipient|sender|receiver|e?mail)",
    re.I,
)
PLACEHOLDER = re.compile(r"<\w+>")  # of a value of another case


@lru_cache(maxsize=2)
def _folded(run: str) -> str:
    """Return the text of a run, which may be long, without case; one answer asks for it for each example."""
    return run.casefold()


@lru_cache(maxsize=2)
def _integers(run: str) -> frozenset[str]:
    """Return the numbers that a run names, kept as `_folded` is."""
    return frozenset(_INTEGER.findall(run))


def text_of_run(episode: Episode) -> str:
    """Return what this run has said so far, as it was written: task, arguments, answers."""
    return episode.once(_text_of_run)


def _text_of_run(episode: Episode) -> str:
    parts = [episode.task]
    for step in episode.steps:
        parts += [str(dict(step.arguments)), step.observation[:MAX_RUN_CHARS], (step.error or "")[:MAX_RUN_CHARS]]
    return "\n".join(parts)


def arguments_of(episode: Episode | None, index: int, max_chars: int, run: str, *, alike: bool = True) -> dict[str, Json] | None:
    """Return the arguments of a step as an example, each text in them within *max_chars*; None where nothing of them can be shown.

    Args:
        episode: With its steps, or None: it is gone meanwhile.
        index: Which step.
        max_chars: Of one text; what is longer ends with an ellipsis.
        run: The text of the run the example is for, as `text_of_run` makes it, or the task alone.
        alike: Whether the episode was at the same task, or met the same error: else its files and code say nothing here either.
    """
    if episode is None or index >= len(episode.steps):
        return None
    arguments = episode.steps[index].arguments
    alike = alike and not _is_of_another_file(arguments, episode.task, run)
    if not alike and (command := command_in(arguments)) and _fits(command, folded := _folded(run)):
        named = without_names(command, episode, index, lambda word: has_value(word, folded))
        arguments = {key: named if value == command else value for key, value in arguments.items()}
    if alike and (command := command_in(arguments)):
        arguments = {key: renamed(command, episode.task, run) if value == command else value for key, value in arguments.items()}
    return _without_numbers_of(episode.task, example_of(arguments, max_chars, run, alike=alike), run)


def _is_of_another_file(arguments: Mapping[str, Json], task: str, run: str) -> bool:
    """Return whether a call is about a file that its own task names and this run does not: what it was given is of that file."""
    task, run = task.casefold(), _folded(run)
    names = (str(value).replace("\\", "/").rpartition("/")[2] for name, value in arguments.items() if name in _PLACE)
    return any("." in name and has_value(name, task) and not has_value(name, run) for name in names)


def _without_numbers_of(task: str, example: dict[str, Json] | None, run: str) -> dict[str, Json] | None:
    """Return an example without the numbers that its own task names and this run does not, however small: *pull request 61* is a case."""
    if not example or not (numbers := numbers_of_case(task, run)):
        return example
    return {name: f"<{name}>" if isinstance(value, str | int) and str(value) in numbers else value for name, value in example.items()}


def numbers_of_case(task: str, run: str) -> frozenset[str]:
    """Return the numbers that a task names and a run does not.

    >>> sorted(numbers_of_case("Review request 61 of v2.5", "Review request 77"))
    ['61']
    """
    return frozenset(_INTEGER.findall(task)) - _integers(run)


def example_of(arguments: Mapping[str, Json], max_chars: int, run: str, *, alike: bool) -> dict[str, Json] | None:
    """Return arguments as an example, as `arguments_of` does those of a step."""
    run = _folded(run)
    if not alike and not _fits(command_in(arguments), run):
        shown = {key: value if is_of_run(value, run, key) else _formula(value) or f"<{key}>" for key, value in arguments.items()}
        return shown if any(shown[key] != f"<{key}>" for key in shown) else None
    code = bool(command_in(arguments)) or not _PLACE.isdisjoint(arguments)
    return {key: _shown(key, value, max_chars, run, code) for key, value in arguments.items()} or None


def _formula(value: Json) -> str:
    """Return the function that a formula of a spreadsheet calls, without its cells; "" of anything else.

    >>> _formula("=SUM(B2:B9)"), _formula("=b2")
    ('=SUM(…)', '')
    """
    found = _FORMULA.match(value) if isinstance(value, str) else None
    return f"{found[0]}…)" if found else ""


def is_new_call(episode: Episode, example: Mapping[str, Json] | None) -> bool:
    """Return whether an example is a call that can be made as it is shown, and is not, but for blanks, what *episode* did last.

    What writes a text into a file cannot: its lines are shown as one, and have moved.
    """
    last = episode.steps[-1].arguments if episode.steps else {}
    command = command_in(example or {}).strip()
    if (
        not example
        or not _WRITTEN.isdisjoint(example)
        or "\n" in command
        or any(is_scratch(word) for word in command.split() if "." in word)
    ):
        return False
    return "".join(str(example).split()) != "".join(str(dict(last)).split())


def calls_own(episode: Episode, index: int, run: str) -> bool:
    """Return whether a call is about a file that its run had made itself and that this *run* does not know."""
    run = _folded(run)
    return runs_own(episode.steps[index], [name for name in own_names(episode) if not has_value(name, run)])


def _fits(command: str, run: str) -> bool:
    """Return whether a command of another task can be called here as it is: a short one, all of whose files this run knows."""
    if not command or "\n" in command.strip() or len(command) > MAX_COMMAND_CHARS:
        return False
    return all(has_value(word.strip("'\""), run) for word in command.split() if _FILE_WORD.search(word))


def is_of_run(value: Json, run: str, name: str = "") -> bool:
    """Return whether a value says nothing of a case, or is one of this run; under a *name* that says whose it is, only the latter.

    >>> is_of_run("premium", "", "plan"), is_of_run("john", "", "username"), is_of_run("john", "sign in as john", "username")
    (True, False, True)
    """
    if not isinstance(value, str):
        return isinstance(value, bool) or value is None or (isinstance(value, int | float) and abs(value) < SMALL)
    bare = value.strip().strip("'\"")
    is_setting = SETTING.fullmatch(bare) is not None and not _PERSONAL.fullmatch(name)
    return not bare or is_setting or has_value(bare, run) or is_of_page(value)


def _shown(name: str, value: Json, max_chars: int, run: str, code: bool) -> Json:
    if isinstance(value, str):
        return shorten(_text(name, value, run, code), max_chars)
    if isinstance(value, Mapping):
        return {key: _shown(str(key), item, max_chars, run, code) for key, item in islice(value.items(), MAX_ITEMS)}
    if isinstance(value, list | tuple):
        return [_shown(name, item, max_chars, run, code) for item in value[:MAX_ITEMS]]
    if isinstance(value, bool) or value is None or abs(value) < SMALL or has_value(str(value), run):
        return value
    return value if code else f"<{name}>"


def _text(name: str, value: str, run: str, code: bool) -> str:
    bare = value.strip().strip("'\"")  # some agents quote what they pass
    if not bare or has_value(bare, run) or is_of_page(value, name):
        return value
    if name in _PLACE or code or (name in _CODE and (name not in _PROSE or _OF_CODE.search(value))):
        return without_ids(value, lambda one: has_value(one, run))
    is_setting = SETTING.fullmatch(bare) is not None and not _PERSONAL.fullmatch(name)
    if is_setting or bare in ("True", "False", "None") or _SMALL.fullmatch(bare):
        return value
    if EMAIL.fullmatch(bare):
        return "<email>"
    return "<date>" if _DATE.fullmatch(bare) else f"<{name}>"


def has_value(value: str, run: str) -> bool:
    """Return whether a run has a value, as a whole: `12` is not in `1234`."""
    folded = value.casefold()
    at = run.find(folded)
    while at >= 0:
        before, after = run[at - 1 : at], run[at + len(folded) : at + len(folded) + 1]
        if not (folded[0].isalnum() and before.isalnum()) and not (folded[-1].isalnum() and after.isalnum()):
            return True
        at = run.find(folded, at + 1)
    return False
