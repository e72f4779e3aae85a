"""Arguments of an earlier step as an example for this run: its own values, else placeholders by kind. Pure.

An example shows how a tool is called. A value of another case (a customer, a booking, what somebody wrote) is never right in this one, so
a value is shown only where this run has it, or where it says nothing of a case: a flag, a small number, a lower-case word, a file, a
command, code. Ids in commands and code are replaced as well.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from mcp_memory.domain.command_forms import given_otherwise
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.edit_arguments import CODE_TEXTS, FILES, FOLDERS, TEXTS
from mcp_memory.domain.episode import Episode, Json, Step
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.argument_changes import SETTING, named_change
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.calls_told import call_by_names
from mcp_memory.learning.reading.case_names import without_names
from mcp_memory.learning.reading.case_values import EMAIL, carried_over, without_ids
from mcp_memory.learning.reading.changes import change_of, is_scratch
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.shown_elements import is_of_page
from mcp_memory.learning.reading.signatures import quoted_in, signature, signature_words, without_place
from mcp_memory.learning.telling.acts import own_names, runs_own
from mcp_memory.views.fixes import family

MAX_DONE = 3  # calls that are told of those that were made before a failed one worked
MAX_ITEMS = 10  # of a list or an object
MAX_RUN_CHARS = 20_000  # of one observation in which values are looked for
ALIKE_QUOTED = 0.75  # of the names that two messages quote, from which these are a host's or a file's, and not what the error is about
LIKE = 0.6  # of the names in two messages, from which they are of one kind
MIN_KIND_WORDS = 3  # of an error, from which another one like it is of its kind
MAX_TOLD_CHARS = 160  # of a command that answered an error
MAX_COMMAND_CHARS = 100  # of a command of another task
MAX_VALUE_CHARS = 60  # of a value in a call that is told by its arguments' names
SMALL = 100  # numbers below it are settings, not ids
_CODE_TEXT = "command cmd args old new code script expression input pattern regex glob search replace"
_WRITTEN = frozenset([*TEXTS, "old", "new"])  # into a file
_CODE, _PLACE = frozenset([*CODE_TEXTS, *_CODE_TEXT.split()]), frozenset([*FILES, *FOLDERS])
_FILE_WORD = re.compile(r"\w\.\w|/")
_PLACE_WORD = re.compile(r"/|[A-Za-z_]\.[A-Za-z_]")  # of a command: a folder, a file, a module
_NAME = re.compile(r"[^\W\d]\w{2,}")
_COMMON_NAME = re.compile(r"(?:__\w+__|index|main|mod|lib|utils?|models|views|tests|conftest|setup|config|README|package)\.\w+$")
_INTEGER = re.compile(r"(?<![\w.])\d+(?![\w.]*\w)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?")
PLACEHOLDER = re.compile(r"<\w+>")  # of a value of another case


class Told(NamedTuple):
    """What answered an error, in few words; `names_failed`: with what had failed, "instead of" which it was."""

    text: str
    names_failed: bool = False


def text_of_run(episode: Episode) -> str:
    """Return what this run has said so far, as it was written: task, arguments, answers."""
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
    if not alike and (command := command_in(arguments)) and _fits(command, run.casefold()):
        folded = run.casefold()
        named = without_names(command, episode, index, lambda word: _in(word, folded))
        arguments = {key: named if value == command else value for key, value in arguments.items()}
    return _without_numbers_of(episode.task, example_of(arguments, max_chars, run, alike=alike), run)


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
    return frozenset(_INTEGER.findall(task)) - frozenset(_INTEGER.findall(run))


def example_of(arguments: Mapping[str, Json], max_chars: int, run: str, *, alike: bool) -> dict[str, Json] | None:
    """Return arguments as an example, as `arguments_of` does those of a step."""
    run = run.casefold()
    if not alike and not _fits(command_in(arguments), run):
        shown = {key: value if _is_of_run(value, run) else f"<{key}>" for key, value in arguments.items()}
        return shown if any(shown[key] != f"<{key}>" for key in shown) else None
    code = bool(command_in(arguments)) or not _PLACE.isdisjoint(arguments)
    return {key: _shown(key, value, max_chars, run, code) for key, value in arguments.items()} or None


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


def as_here(told: Told, steps: Sequence[Step], failed: int, by: int, now: Step, run: str) -> Told:
    """Return what answered the error of another run's step with the values that this run's error names; a command without other ids."""
    text, run = carried_over(told.text, error_text(steps[failed]), error_text(now)), run.casefold()
    return told._replace(text=without_ids(text, lambda value: _in(value, run)) if command_in(steps[by].arguments) else text)


def calls_own(episode: Episode, index: int, run: str) -> bool:
    """Return whether a call is about a file that its run had made itself and that this *run* does not know."""
    run = run.casefold()
    return runs_own(episode.steps[index], [name for name in own_names(episode) if not _in(name, run)])


def told_call(steps: Sequence[Step], index: int, run: str) -> Told | None:
    """Return in few words what a step of another run did, where the same can be done in this one; None where it cannot.

    A change can where this run knows the file, a command where it knows the files in it, another call where it has its values.
    """
    step, run = steps[index], run.casefold()
    if change := change_of(steps, index):
        return Told(brief(steps, index)) if _in(_name_of(change.path), run) else None
    if command := command_in(step.arguments).strip():
        places = [word.strip("'\"") for word in command.split() if _PLACE_WORD.search(word)]
        can = "\n" not in command and len(command) <= MAX_TOLD_CHARS and all(_in(word, run) for word in places)
        return Told(brief(steps, index, MAX_TOLD_CHARS)) if can else None
    if step.description:
        return Told(brief(steps, index, MAX_TOLD_CHARS))
    values = [value for value in step.arguments.values() if value not in ("", None)]
    return Told(brief(steps, index)) if values and all(_is_of_run(value, run) for value in values) else None


def told_change(steps: Sequence[Step], index: int, message: str, like: str) -> Told | None:
    """Return in few words the change or the command that fixed an error *like* the one that says *message*.

    None where it says nothing, or where the two are about different things: the package that is missing there is not the one missing here.
    A command that names nothing of what its error was about is told all the same.
    """
    change, command = change_of(steps, index), command_in(steps[index].arguments).strip()
    if len(signature_words(signature(like))) < MIN_KIND_WORDS or (change is None and (not command or "\n" in command)):
        return None
    if change is not None and (change.is_scratch or not change.says_what):
        return None
    names, others = (frozenset(_NAME.findall(without_place(text))) for text in (message, like))
    here, there = (frozenset(_NAME.findall(" ".join(quoted_in(text)))) for text in (message, like))
    is_about_same = len(here & there) >= ALIKE_QUOTED * len(here | there)
    if change is None and not is_about_same:  # a command may answer such an error whatever it is about, as a migration a missing table
        names, others = names - here, others - there
    elif not is_about_same:
        return None
    if len(names & others) < LIKE * len(names | others):
        return None
    did = command or " ".join((change.removed, change.added, *change.then) if change else ())
    if not (there - here).isdisjoint(_NAME.findall(did)):
        return None  # it is of what was named there
    return Told(brief(steps, index, MAX_TOLD_CHARS, near=like))


def told_answer(steps: Sequence[Step], failed: int, by: int, run: str) -> Told | None:
    """Return in few words the call, other than a command, that answered the very error which this run met; None where it says nothing.

    Of a call put right what the error names is told; of another call the arguments' names, with the values that are of this run or that
    share a word with the error: those are about the same thing. Without such a value it is told where nothing else was done before the
    failed call worked.
    """
    step, run, message = steps[by], run.casefold(), frozenset(_NAME.findall(message_of(steps[failed]).casefold()))
    if put_right := named_change(steps[failed], step):
        return Told(f"{step.key} {put_right[0]} instead of {put_right[1]}", names_failed=True)
    if command_in(step.arguments) or step.is_same_call(steps[failed]):
        return None

    def known_in(call: Step) -> dict[str, Json]:
        values = call.arguments.items()
        return {k: v for k, v in values if _is_of_run(v, run) or not message.isdisjoint(_NAME.findall(str(v).casefold()))}

    known, done = known_in(step), _done_until_it_worked(steps, failed, by)
    if by in done and 1 < len(done) <= MAX_DONE and any(known_in(steps[k]) for k in done):
        return Told(", ".join(call_by_names(steps[k], known_in(steps[k]), MAX_VALUE_CHARS) for k in done))
    if step.key == steps[failed].key and all(value == steps[failed].arguments.get(name) for name, value in known.items()):
        return None  # what was different is not shown
    alone = done == [by] and bool(step.arguments) and step.key != steps[failed].key
    return Told(call_by_names(step, known, MAX_VALUE_CHARS)) if known or alone else None


def _done_until_it_worked(steps: Sequence[Step], failed: int, by: int) -> list[int]:
    """Return all steps that did something between a failed call and the same one that worked, after *by*; none where it never did."""
    again = next((k for k in range(by + 1, len(steps)) if steps[k].is_same_call(steps[failed]) and not steps[k].failed), -1)
    return [k for k in range(failed + 1, again) if not steps[k].failed and role_of(steps[k].key) is Role.ACTS]


def told_instead(steps: Sequence[Step], failed: int, by: int) -> Told | None:
    """Return how a command that failed was given instead, where the same program then worked; None where it was not, or is too long."""
    before, after = (command_in(steps[i].arguments).strip() for i in (failed, by))
    if before == after or not before or not after:
        return None
    is_same = given_otherwise(before, after, steps[failed].error or steps[failed].observation) is not None
    if not is_same and family(steps[failed].key) != family(steps[by].key):
        return None
    if not is_same and any(step.is_same_call(steps[failed]) and not step.failed for step in steps[by + 1 :]):
        return None  # it was not given instead, but before it worked
    if "\n" in f"{before}{after}" or max(len(before), len(after)) > MAX_COMMAND_CHARS:
        return None
    return Told(f"{brief(steps, by)} instead of `{before}`", names_failed=True)


def _name_of(path: str) -> str:
    """Return by what a run knows a file: its name, of one that many folders have (`__init__.py`, `index.ts`) with its folder.

    >>> _name_of("shop/cart.py"), _name_of("shop/maps/__init__.py"), _name_of("main.rs")
    ('cart.py', 'maps/__init__.py', 'main.rs')
    """
    parts = path.split("/")
    return "/".join(parts[-2:] if _COMMON_NAME.match(parts[-1]) else parts[-1:])


def _fits(command: str, run: str) -> bool:
    """Return whether a command of another task can be called here as it is: a short one, all of whose files this run knows."""
    if not command or "\n" in command.strip() or len(command) > MAX_COMMAND_CHARS:
        return False
    return all(_in(word.strip("'\""), run) for word in command.split() if _FILE_WORD.search(word))


def _is_of_run(value: Json, run: str) -> bool:
    """Return whether a value says nothing of a case, or is one of this run."""
    if not isinstance(value, str):
        return isinstance(value, bool) or value is None or (isinstance(value, int | float) and abs(value) < SMALL)
    bare = value.strip().strip("'\"")
    return not bare or bool(SETTING.fullmatch(bare)) or _in(bare, run) or is_of_page(value)


def _shown(name: str, value: Json, max_chars: int, run: str, code: bool) -> Json:
    if isinstance(value, str):
        return shorten(_text(name, value, run, code), max_chars)
    if isinstance(value, Mapping):
        return {key: _shown(str(key), item, max_chars, run, code) for key, item in islice(value.items(), MAX_ITEMS)}
    if isinstance(value, list | tuple):
        return [_shown(name, item, max_chars, run, code) for item in value[:MAX_ITEMS]]
    if isinstance(value, bool) or value is None or abs(value) < SMALL or _in(str(value), run):
        return value
    return value if code else f"<{name}>"


def _text(name: str, value: str, run: str, code: bool) -> str:
    bare = value.strip().strip("'\"")  # some agents quote what they pass
    if not bare or _in(bare, run) or is_of_page(value, name):
        return value
    if name in _PLACE or code or name in _CODE:
        return without_ids(value, lambda one: _in(one, run))
    if SETTING.fullmatch(bare) or bare in ("True", "False", "None") or (bare.lstrip("-").isdigit() and abs(int(bare)) < SMALL):
        return value
    if EMAIL.fullmatch(bare):
        return "<email>"
    return "<date>" if _DATE.fullmatch(bare) else f"<{name}>"


def _in(value: str, run: str) -> bool:
    """Return whether a run has a value, as a whole: `12` is not in `1234`."""
    folded = value.casefold()
    at = run.find(folded)
    while at >= 0:
        before, after = run[at - 1 : at], run[at + len(folded) : at + len(folded) + 1]
        if not (folded[0].isalnum() and before.isalnum()) and not (folded[-1].isalnum() and after.isalnum()):
            return True
        at = run.find(folded, at + 1)
    return False
