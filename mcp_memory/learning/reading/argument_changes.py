"""What was different in the arguments when a failed call was made again: the kind of change, whatever the values were. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from mcp_memory.domain.command_forms import given_otherwise
from mcp_memory.domain.commands import ASSIGNMENT, WRAPPING, command_in
from mcp_memory.domain.episode import Json, Step
from mcp_memory.domain.pattern import ArgumentChange
from mcp_memory.learning.reading.likeness import likeness
from mcp_memory.learning.reading.other_value import one_other_value
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import quoted_in
from mcp_memory.views.fixes import MAX_STEPS_LATER

MIN_LISTED_CHARS = 3  # of a value that an error is said to have named
MAX_WORDS = 12  # of a value that is compared by its words: what is longer is a text
MAX_VALUE_CHARS = 36  # of an argument that an error names
MAX_PART_WORDS = 6  # of a text, that came instead of what its error names
MAX_TEXT_WORDS = 300  # of a text in which such a part is looked for
MIN_NAMED_CHARS = 4  # of a value that an error names
MAX_PARTS, MAX_DEPTH = 30, 6  # of one list or object, and of such within each other
ALIKE = 0.6  # of two values' letters, from which one is the other spelt otherwise
_ERROR_CHARS = 2_000
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"\w+")
_WHOLE = re.compile(r"(?<![\w.-])[\w.-]*\w")  # a word, a number with its fraction
MAX_NAMED = 3  # arguments that are told together
SETTING = re.compile(r"[a-z][a-z_-]{0,30}")  # a word of a vocabulary, which is no value of a case: `damaged`, `round_trip`
_IDENTIFIER = re.compile(r"\w*(?:_|\d)\w*")  # what no plain word of a sentence looks like


@dataclass(frozen=True, slots=True)
class Changed:
    """`argument` is the argument's name, or the option of a command; `before` and `after` its values where they are short."""

    kind: ArgumentChange
    argument: str
    before: str = ""
    after: str = ""


def argument_change(failed: Step, again: Step) -> Changed | None:
    """Return what one change led from the failed call to the next one of its tool; None for several, or one of no known kind.

    >>> from mcp_memory.domain.episode import Step
    >>> def change(before, after): return argument_change(Step("t", arguments=before), Step("t", arguments=after)).kind.value
    >>> change({"query": "Gator Country guitarist"}, {"query": "Gator Country"}), change({"path": "sql/a.py"}, {"path": "a.py"})
    ('fewer_words', 'without_folder')
    >>> change({"command": "pip install x"}, {"command": "pip install --user x"}), change({"id": 1}, {"id": 1, "unit": "m"})
    ('option_added', 'argument_added')
    >>> error, paid = "total is 608, but paid 304", lambda amount: {"methods": [{"by": "card", "amount": amount}]}
    >>> argument_change(Step("pay", arguments=paid(304), status="error", error=error), Step("pay", arguments=paid(608))).argument
    'methods.amount'
    >>> argument_change(Step("t", "", {"command": "npm run b"}), Step("t", "", {"command": "export CI=1 && npm run b"})).argument
    'CI=1'
    """
    before, after = failed.arguments, again.arguments
    names = [name for name in (*before, *(n for n in after if n not in before)) if before.get(name) != after.get(name)]
    if len(names) != 1:
        return None
    name = names[0]
    if name not in before or name not in after:
        return Changed(ArgumentChange.ARGUMENT_ADDED if name in after else ArgumentChange.ARGUMENT_LEFT_OUT, name)
    if command_in(before) and command_in(after):
        return _option_changed(command_in(before), command_in(after))
    old, new = before[name], after[name]
    if isinstance(old, str) and isinstance(new, str):
        return _text_changed(name, old, new, _error_of(failed))
    return _value_changed(name, old, new, _error_of(failed))


def named_change(failed: Step, again: Step) -> tuple[str, str] | None:
    """Return what a call of a tool that worked had instead of what the error of the failed one names, and that; None where nothing of it.

    That the error names it tells a call put right from another call of the same tool; so does that an argument was added, or called
    otherwise, and all else stayed. Commands are not looked at.

    >>> from mcp_memory.domain.episode import Step
    >>> def change(error, before, after): return named_change(Step("t", "", before, status="error", error=error), Step("t", "", after))
    >>> change("page_size must be at most 100", {"page_size": 500}, {"page_size": 100})
    ('page_size=100', 'page_size=500')
    >>> change("Amount takes a decimal point", {"to": "ann", "amount": "9,50"}, {"to": "ann", "amount": "9.50"})
    ('amount=9.50', 'amount=9,50')
    >>> change("team: required; priority: unknown", {"key": "A", "priority": "urgent"}, {"key": "A", "priority": "high", "team": "web"})
    ('priority=high team=web', 'priority=urgent no team')
    >>> change('column "user_id" does not exist', {"sql": "select user_id from orders"}, {"sql": "select customer_ref from orders limit 3"})
    ('sql=…customer_ref…', 'sql=…user_id…')
    >>> change("sender not verified", {"to": "all"}, {"to": "all", "sender": "news@acme.io"}), change("no page", {"t": "x"}, {"t": "y"})
    (('sender=…', 'no sender'), None)
    >>> change("reason required", {"order": "W1"}, {"order": "W1", "reason": "damaged"})
    ('reason=damaged', 'no reason')
    >>> change("extra keys not allowed @ data['brightness']", {"id": "l1", "brightness": 50}, {"id": "l1", "brightness_pct": 50})
    ('brightness_pct', 'brightness')
    >>> change("no [Ann Lee]", {"q": "Ann Lee"}, {"q": "Bo Ray"}), change("base 'x' is bad", {"base": "x", "n": 1}, {"base": "y", "n": 1})
    (None, ('base=y', 'base=x'))
    """
    if failed.key != again.key or command_in(failed.arguments):
        return None
    added = [name for name in again.arguments if name not in failed.arguments]
    if len(added) == 1 and len(again.arguments) > 1 and {**failed.arguments, added[0]: again.arguments[added[0]]} == again.arguments:
        value = again.arguments[added[0]]
        return f"{added[0]}={_told(value)}", f"no {added[0]}"
    gone = [name for name in failed.arguments if name not in again.arguments]
    if len(added) == len(gone) == 1 and _renamed(failed.arguments, gone[0], added[0]) == again.arguments:
        return added[0], gone[0]
    message = message_of(failed)
    words = frozenset(_TOKEN.findall(message))
    named = frozenset(_TOKEN.findall(" ".join(quoted_in(message)))) | {word for word in words if _IDENTIFIER.fullmatch(word)}
    said = frozenset(map(str.casefold, words))
    for name, old in failed.arguments.items():
        new = again.arguments.get(name)
        if new is None or old == new:
            continue
        others_stay = len(failed.arguments) > 1 and {**failed.arguments, name: new} == dict(again.arguments)
        is_named = (name.casefold() in said and (others_stay or not isinstance(old, str))) or (
            others_stay and _is_misnamed(old, new, message)
        )
        if is_named and max(len(str(old)), len(str(new))) <= MAX_VALUE_CHARS:
            return f"{name}={new}", f"{name}={old}"
        if isinstance(old, str) and isinstance(new, str) and (part := _part_changed(old, new, named)):
            return f"{name}=…{part[1]}…", f"{name}=…{part[0]}…"
    return _all_named(failed.arguments, again.arguments, said) if not gone else None


def _all_named(before: Mapping[str, Json], after: Mapping[str, Json], said: frozenset[str]) -> tuple[str, str] | None:
    """Return the few arguments that another call had otherwise, and what it had before, where an error names each of them."""
    others = [name for name in after if name not in before or before[name] != after[name]]
    if not 1 < len(others) <= MAX_NAMED or any(name.casefold() not in said for name in others):
        return None
    told = (f"{name}={_told(after[name])}" for name in others)
    had = (f"{name}={_told(before[name])}" if name in before else f"no {name}" for name in others)
    return " ".join(told), " ".join(had)


def _told(value: Json) -> str:
    return str(value) if isinstance(value, bool) or (isinstance(value, str) and SETTING.fullmatch(value)) else "…"


def _renamed(arguments: Mapping[str, Json], name: str, other: str) -> dict[str, Json]:
    return {other if key == name else key: value for key, value in arguments.items()}


def _is_misnamed(old: Json, new: Json, message: str) -> bool:
    """Return whether an error names a value in whose place one much like it came: another spelling, not another number of its kind.

    >>> _is_misnamed("light.livingroom", "light.living_room_main", "entity light.livingroom not found")
    True
    >>> _is_misnamed("user_17", "user_18", "user_17 not found"), _is_misnamed("Ann Lee", "Bo Ray", "no page for Ann Lee")
    (False, False)
    """
    if not isinstance(old, str) or not isinstance(new, str) or len(old) < MIN_NAMED_CHARS or old not in message:
        return False
    a, b = (_DIGITS.sub("", value.casefold()) for value in (old, new))
    return a != b and likeness(a, b) >= ALIKE


def put_right(steps: Sequence[Step], failed: int) -> int:
    """Return the step, of the few after a failed one, that is its call put right (`named_change`), or with one other value; -1 without."""
    later = [k for k in range(failed + 1, min(len(steps), failed + 1 + MAX_STEPS_LATER)) if not steps[k].failed]
    changes = (named_change, one_other_value)
    return next((k for change in changes for k in later if change(steps[failed], steps[k])), -1)


def put_past(steps: Sequence[Step], failed: int) -> int:
    """Return the step that is a failed call put right, and met another error, which was put right, too, in the one that worked; -1 without.

    >>> from mcp_memory.domain.episode import Step
    >>> def refused(error, **given): return Step("book", arguments={"no": 7, **given}, status="error", error=error)
    >>> booked = Step("book", arguments={"no": 7, "centre": 1, "amount": 2})
    >>> put_past([refused("centre required"), refused("amount is bad", centre=1), booked], 0)
    1
    """
    step, later = steps[failed], range(failed + 1, min(len(steps), failed + 1 + MAX_STEPS_LATER))
    for k in later:
        other = steps[k]
        if other.key != step.key or not other.failed or message_of(other) == message_of(step) or not named_change(step, other):
            continue
        put = {name: value for name, value in other.arguments.items() if step.arguments.get(name) != value}
        worked = (steps[n] for n in later if n > k and steps[n].key == step.key and not steps[n].failed)
        if put and any(put.items() <= w.arguments.items() for w in worked):
            return k
    return -1


def _part_changed(old: str, new: str, named: frozenset[str]) -> tuple[str, str] | None:
    """Return the part of a text that an error names, and what stands in its place in another text."""
    before, after = _TOKEN.findall(old)[:MAX_TEXT_WORDS], _TOKEN.findall(new)[:MAX_TEXT_WORDS]
    if named.isdisjoint(before):
        return None
    compared = SequenceMatcher(None, before, after, autojunk=False)
    if 3 * sum(block.size for block in compared.get_matching_blocks()) < len(before):
        return None  # another text altogether is another question
    for tag, i, j, k, n in compared.get_opcodes():
        if tag == "replace" and max(j - i, n - k) <= MAX_PART_WORDS and not named.isdisjoint(before[i:j]):
            return " ".join(word for word in before[i:j] if word in named), " ".join(after[k:n])
    return None


def _option_changed(before: str, after: str) -> Changed | None:
    """Return the one option, variable or `sudo` that was added to a command or left out of it."""
    old, new = before.split(), after.split()
    if len(old) > MAX_WORDS or len(new) > MAX_WORDS + 1:
        return None
    longer, shorter, kind = (new, old, ArgumentChange.OPTION_ADDED) if len(new) > len(old) else (old, new, ArgumentChange.OPTION_LEFT_OUT)
    for at, word in enumerate(longer):
        if word.startswith("-") and longer[:at] + longer[at + 1 :] == shorter:
            return Changed(kind, word)
    return _given_otherwise(before, after)


def _given_otherwise(before: str, after: str) -> Changed | None:
    other = given_otherwise(before, after, "")
    if other is None or len(other.added) + len(other.left_out) != 1:
        return None
    word = (*other.added, *other.left_out)[0]
    if not (word.startswith("-") or word in WRAPPING or ASSIGNMENT.match(word)):
        return None  # what was run before it is a recovery
    return Changed(ArgumentChange.OPTION_ADDED if other.added else ArgumentChange.OPTION_LEFT_OUT, word)


def _text_changed(name: str, old: str, new: str, error: str) -> Changed | None:
    if "\n" in old.strip() or "\n" in new.strip() or old.strip() == new.strip():
        same = [line.strip() for line in old.strip().splitlines()] == [line.strip() for line in new.strip().splitlines()]
        return Changed(ArgumentChange.INDENTED, name) if same else None
    before, after = _bare(old), _bare(new)
    if len(after) >= MIN_LISTED_CHARS and after in error and after not in before:
        return Changed(ArgumentChange.LISTED, name, before, after)
    if before.rsplit("/", 1)[-1] == after.rsplit("/", 1)[-1] and before.count("/") != after.count("/"):
        without = before.count("/") > after.count("/")
        return Changed(ArgumentChange.WITHOUT_FOLDER if without else ArgumentChange.WITH_FOLDER, name, before, after)
    words, others = before.split(), after.split()
    if not words or not others or max(len(words), len(others)) > MAX_WORDS:
        return None
    if _within(others, words):
        return Changed(ArgumentChange.FEWER_WORDS, name, before, after)
    return Changed(ArgumentChange.MORE_WORDS, name, before, after) if _within(words, others) else None


def _value_changed(name: str, old: Json, new: Json, error: str) -> Changed | None:
    """Return that one value of an object or a list, or a number, became one that the error names."""
    before, after = dict(_leaves(name, old)), dict(_leaves(name, new))
    others = [path for path in before if after.get(path) != before[path]]
    if len(others) != 1 or before.keys() != after.keys():
        return None
    was, now = str(before[others[0]]), str(after[others[0]])
    if len(now) < MIN_LISTED_CHARS or now not in _WHOLE.findall(error):
        return None
    return Changed(ArgumentChange.LISTED, ".".join(part for part in others[0] if not part.isdigit()), was, now)


def _leaves(name: str, value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield the values in an argument, each with the names and numbers that lead to it; of a large one the first."""
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else None
    if parts is None or len(path) >= MAX_DEPTH:
        yield (*path, name), value
        return
    for key, part in islice(parts, MAX_PARTS):
        yield from _leaves(str(key), part, (*path, name))


def _within(part: list[str], whole: list[str]) -> bool:
    """Return whether *part* stands in *whole*, in one piece, and is less."""
    return len(part) < len(whole) and any(whole[i : i + len(part)] == part for i in range(len(whole) - len(part) + 1))


def _bare(value: str) -> str:
    return value.strip().strip("'\"").strip()


def _error_of(step: Step) -> str:
    return f"{message_of(step)}\n{(step.error or '')[:_ERROR_CHARS]}\n{step.observation[:_ERROR_CHARS]}"
