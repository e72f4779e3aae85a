"""What answered an error in another run, in few words, where it can be done or learnt from in this one. Pure."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from mcp_memory.domain.command_forms import given_otherwise
from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Json, Step
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.argument_changes import named_change
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.calls_told import call_by_names
from mcp_memory.learning.reading.case_values import carried_over, without_ids
from mcp_memory.learning.reading.changes import Change, change_of
from mcp_memory.learning.reading.edits import edits_of
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.reading.signatures import quoted_in, signature, signature_words, without_place
from mcp_memory.learning.telling.examples import MAX_COMMAND_CHARS, has_value, is_of_run
from mcp_memory.views.fixes import family

MAX_DONE = 3  # calls that are told of those that were made before a failed one worked
ALIKE_QUOTED = 0.75  # of the names that two messages quote, from which these are a host's or a file's, and not what the error is about
LIKE = 0.6  # of the names in two messages, from which they are of one kind
MIN_KIND_WORDS = 3  # of an error, from which another one like it is of its kind
MAX_TOLD_CHARS = 160  # of a command that answered an error
MAX_VALUE_CHARS = 60  # of a value in a call that is told by its arguments' names
MAX_TOKENS = 8  # of what stands around a name
_IDENTIFIER, _TOKEN = re.compile(r"[^\W\d]\w*"), re.compile(r"\w+|[^\w\s]")
_PLACE_WORD = re.compile(r"/|[A-Za-z_]\.[A-Za-z_]")  # of a command: a folder, a file, a module
_NAME = re.compile(r"[^\W\d]\w{2,}")
_COMMON_NAME = re.compile(r"(?:__\w+__|index|main|mod|lib|utils?|models|views|tests|conftest|setup|config|README|package)\.\w+$")


class Told(NamedTuple):
    """What answered an error, in few words; `names_failed`: with what had failed, "instead of" which it was."""

    text: str
    names_failed: bool = False


def as_here(told: Told, steps: Sequence[Step], failed: int, by: int, now: Step, run: str) -> Told:
    """Return what answered the error of another run's step with the values that this run's error names; a command without other ids."""
    text, run = carried_over(told.text, error_text(steps[failed]), error_text(now)), run.casefold()
    return told._replace(text=without_ids(text, lambda value: has_value(value, run)) if command_in(steps[by].arguments) else text)


def told_call(steps: Sequence[Step], index: int, run: str) -> Told | None:
    """Return in few words what a step of another run did, where the same can be done in this one; None where it cannot.

    A change can where this run knows the file, a command where it knows the files in it, another call where it has its values.
    """
    step, run = steps[index], run.casefold()
    if change := change_of(steps, index):
        return Told(brief(steps, index)) if has_value(_name_of(change.path), run) else None
    if command := command_in(step.arguments).strip():
        places = [word.strip("'\"") for word in command.split() if _PLACE_WORD.search(word)]
        can = "\n" not in command and len(command) <= MAX_TOLD_CHARS and all(has_value(word, run) for word in places)
        return Told(brief(steps, index, MAX_TOLD_CHARS)) if can else None
    if step.description:
        return Told(brief(steps, index, MAX_TOLD_CHARS))
    values = {name: value for name, value in step.arguments.items() if value not in ("", None)}
    return Told(brief(steps, index)) if values and all(is_of_run(value, run, name) for name, value in values.items()) else None


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
        return _around_the_name(_lines_of(steps, index, change), message, like) if change else None
    if len(names & others) < LIKE * len(names | others):
        return None
    did = command or " ".join((change.removed, change.added, *change.then) if change else ())
    if not (there - here).isdisjoint(_NAME.findall(did)):
        return None  # it is of what was named there
    return Told(brief(steps, index, MAX_TOLD_CHARS, near=like))


def _lines_of(steps: Sequence[Step], index: int, change: Change) -> tuple[str, str]:
    """Return the one line that a step wrote over, and the one in its place, whole where the step gives both."""
    edits = edits_of(steps, index)
    lines = ((edits[0].before or "").splitlines(), edits[0].after.splitlines()) if len(edits) == 1 else ([], [])
    others = [(a, b) for a, b in zip(*lines, strict=False) if a != b] if len(lines[0]) == len(lines[1]) else []
    return others[0] if len(others) == 1 else (change.removed, change.added)


def _around_the_name(lines: tuple[str, str], message: str, like: str) -> Told | None:
    """Return what stood in the place of the one name that an error quotes, with the name that the other error quotes there; None else.

    >>> _around_the_name(("spawn(cfg);", "spawn(cfg.clone());"), "borrow of moved value: `routes`", "borrow of moved value: `cfg`")
    Told(text='`routes.clone()` instead of `routes`', names_failed=True)
    >>> _around_the_name(("use a;", "use b;"), "cannot find `y`", "cannot find `x`") is None
    True
    """
    names, others = (quoted_in(without_place(text)) for text in (like, message))
    pairs = [pair for pair in zip(names, others, strict=False) if pair[0] != pair[1]]
    if signature(like) != signature(message) or len(pairs) != 1 or not all(map(_IDENTIFIER.fullmatch, pairs[0])):
        return None
    name, other = pairs[0]
    before, after = (_TOKEN.findall(line) for line in lines)
    start = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    most = min(len(before), len(after)) - start
    end = next((i for i in range(most) if before[-1 - i] != after[-1 - i]), most)
    then, now = before[start : len(before) - end], after[start : len(after) - end]
    if name not in then and start and before[start - 1] == name:
        then, now = [name, *then], [name, *now]
    elif name not in then and end and before[-end] == name:
        then, now = [*then, name], [*now, name]
    if then == now or name not in then or name not in now or max(len(then), len(now)) > MAX_TOKENS:
        return None
    told = ("".join(other if token == name else token for token in tokens) for tokens in (now, then))
    return Told("`{}` instead of `{}`".format(*told), names_failed=True)


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
        return {k: v for k, v in values if is_of_run(v, run, k) or not message.isdisjoint(_NAME.findall(str(v).casefold()))}

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
