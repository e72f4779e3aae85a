"""A call made again as it was but for one value, and how alike two calls are in what they are about. Pure."""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Step
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.learning.reading.signatures import signature, signature_words

MAX_WORDS = 14  # of a call told in words: what is longer is a text
MAX_OTHER_WORDS = 3  # of the value in whose place another one came
MAX_VALUE_CHARS = 36
MIN_TELLING_WORDS = 3  # of an error, below which it tells nothing of what is wrong
_NAMES = re.compile(r"[^\W\d_]{3,}")
_FUNCTION_TEXT = "the and with from into onto for not but this that its using via"
# Of an answer that only says that a call was not understood.
_NOT_UNDERSTOOD_TEXT = """
no not known unknown valid invalid action actions command commands input verb word words matches match found that this the it is was
your a an i you do don t does doesn did didn can cannot couldn understand understood recognize recognise recognized recognised know what
mean means available allowed possible here now at moment error try again please see any such thing to perform parse sorry
"""
_NOT_UNDERSTOOD = frozenset(_NOT_UNDERSTOOD_TEXT.split())
_FUNCTION = frozenset(_FUNCTION_TEXT.split())


class OtherValue(NamedTuple):
    """What a call had in place of one value of a failed one; `argument` is the argument's name, "" in a call told in words."""

    now: str
    then: str
    argument: str = ""

    def told(self) -> tuple[str, str]:
        """Return both values, those of an argument with its name."""
        return (f"{self.argument}={self.now}", f"{self.argument}={self.then}") if self.argument else (self.now, self.then)


def one_other_value(failed: Step, again: Step) -> OtherValue | None:
    """Return what a call that acts had in place of one value of a failed one; None where not just one is another.

    What it is about stayed: of words at least one that names something, and no fewer than were changed; of arguments another one. A shell's
    command is about its last word or its folder as often.

    >>> def words(*said): return one_other_value(*(Step("act", text) for text in said))
    >>> words("heat egg 2 with stoveburner 1", "heat egg 2 with microwave 1").told(), words("open drawer 1", "open drawer 2")
    (('microwave', 'stoveburner'), None)
    >>> pay, by = {"order": "W1", "by": "gift card"}, {"order": "W1", "by": "credit card"}
    >>> one_other_value(Step("pay_order", "", pay), Step("pay_order", "", by)).told()
    ('by=credit card', 'by=gift card')
    >>> one_other_value(Step("get_order", "", pay), Step("get_order", "", by)) is None
    True
    """
    if failed.key != again.key or role_of(failed.key) is not Role.ACTS or is_shell(failed.tool):
        return None
    if (text := in_words(failed)) or in_words(again):
        return _other_words(_own_words(text, failed.key), _own_words(in_words(again), failed.key))
    before, after = failed.arguments, again.arguments
    others = [name for name in before if before[name] != after.get(name)]
    if before.keys() != after.keys() or len(others) != 1 or not any(str(before[name]).strip() for name in before if name != others[0]):
        return None
    now, then = after[others[0]], before[others[0]]
    if isinstance(now, Mapping | list) or max(len(str(now)), len(str(then))) > MAX_VALUE_CHARS:
        return None
    return OtherValue(str(now), str(then), others[0])


def is_vague(message: str) -> bool:
    """Return whether an error tells nothing of what is wrong: many calls fail so, each for a reason of its own.

    >>> is_vague("Nothing happens."), is_vague("permission denied"), is_vague("No module named 'yaml'"), is_vague("KeyError: 'date'")
    (True, True, False, False)
    >>> is_vague("No known action matches that input."), is_vague("I don't understand that command"), is_vague("The brass door needs a key")
    (True, True, False)
    """
    said = signature(message)
    if "<" in said or "#" in said:
        return False
    return len(signature_words(said)) < MIN_TELLING_WORDS or _NOT_UNDERSTOOD.issuperset(re.findall("[a-z]+", said.casefold()))


def is_about_the_same(step: Step, other: Step) -> bool:
    """Return whether two calls share a word that names something; two of a tool whose calls are no words do anyway.

    >>> heat, cool, put = (Step("act", text) for text in ("heat egg 2", "heat the potato 1", "put plate 1 in cabinet 3"))
    >>> is_about_the_same(heat, cool), is_about_the_same(heat, put), is_about_the_same(Step("pay"), Step("pay"))
    (True, False, True)
    """
    if step.key == other.key and not step.description and not other.description:
        return True
    return bool(_named(step) & _named(other))


def in_words(step: Step) -> str:
    """Return the words of a call that is told in words, a command or what the agent says it does; "" for any other."""
    return command_in(step.arguments).strip() or step.description


def _own_words(text: str, key: str) -> list[str]:
    """Return the words of a call but for the program's, which its key has."""
    said = text.split()
    known = len(key.partition(":")[2].split())
    return said[known:] if known and said[:known] == key.partition(":")[2].split() else said


def _named(step: Step) -> frozenset[str]:
    said = in_words(step) or " ".join(map(str, step.arguments.values()))
    return frozenset(word for word in _NAMES.findall(said.casefold()) if word not in _FUNCTION)


def _other_words(before: Sequence[str], after: Sequence[str]) -> OtherValue | None:
    if max(len(before), len(after)) > MAX_WORDS:
        return None
    compared = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    other = [(before[i:j], after[k:n]) for tag, i, j, k, n in compared if tag != "equal"]
    if len(other) != 1 or not all(other[0]) or max(map(len, other[0])) > MAX_OTHER_WORDS:
        return None
    then, now = (" ".join(words) for words in other[0])
    kept = [word for tag, i, j, _, _ in compared if tag == "equal" for word in before[i:j]]
    names = [word for word in kept if not word.startswith("-") and _NAMES.search(word) and word.casefold() not in _FUNCTION]
    tells = any(char.isalpha() for char in now)
    return OtherValue(now, then) if tells and names and len(kept) >= len(other[0][0]) and len(now) <= MAX_VALUE_CHARS else None
