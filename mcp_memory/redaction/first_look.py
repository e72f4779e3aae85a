"""A first look at a short text: in most nothing stands that a rule could begin with, and that is told in a third of the time."""

from collections.abc import Callable, Iterable
from functools import lru_cache

import mcp_memory.redaction.named as named
import mcp_memory.redaction.shapes as shapes
import mcp_memory.redaction.wrapped as wrapped
from mcp_memory.redaction.bare import has_noise
from mcp_memory.redaction.index import AWS, FEW_WORDS, Entry, of_word, whole_table
from mcp_memory.redaction.rules import Rule, compiled
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import OutOfWork, Work

Span = tuple[int, int, str]
Finder = Callable[[str, Work], list[Span]]
MAX_CHARS = 4_000  # of a longer text this would look at too much twice
_MOST_PLACES = 6  # of a keyword: a text with more of them is left to the full look, which counts its work
_PARTS = (*named.PARTS, (AWS, AWS))
_RUN, _SHORT_RUN = kind(LETTERS_AND_DIGITS + "_-+/"), 23  # what all long runs that are looked at are made of, and the shortest of them


def has_nothing(sight: Sight, vocabulary: Vocabulary, inside: Finder) -> bool:
    """Tell whether a full look at a text would surely find nothing. False says only that it takes a full look to tell.

    Args:
        inside: Finds the secrets of a text that was unwrapped.
    """
    if len(sight.text) > MAX_CHARS or has_noise(sight):
        return False
    has_long = has_runs(sight.codes)
    entries, names = _asked(vocabulary)
    if has_long and AWS in names:  # any run of forty may be a key
        return False
    for _, keyword, rule, _ in entries:
        searched = sight.plain_lowered if rule.ignore_case else sight.plain
        if keyword in searched and ((has_long and rule.name == shapes.AWS_ID) or _may_match(keyword, rule, searched, sight)):
            return False
    if not (names or has_long):
        return True
    work = Work(len(sight.text))
    try:
        return not ((names and _finds(named.looks(sight, vocabulary, work))) or (has_long and _finds_long(sight, inside, work)))
    except OutOfWork:
        return False


def _asked(vocabulary: Vocabulary) -> tuple[list[Entry], list[str]]:
    """Return at least the keywords of the table that a text may have, and the parts of names it has: some of them twice."""
    index, words = whole_table(), vocabulary.words
    if not vocabulary.are_known or len(words) > FEW_WORDS:
        return index.hits(vocabulary), vocabulary.having(_PARTS) if words else []
    entries, names = [*index.unsaid], []
    for word in words:
        asked = _of_word(word)
        entries += asked[0]
        names += asked[1]
    return entries, names


@lru_cache(maxsize=4096)
def _of_word(word: bytes) -> tuple[list[Entry], list[str]]:
    text = word.decode()
    return of_word(whole_table(), word), [name for name, part in _PARTS if part in text]


def has_runs(codes: bytes) -> bool:
    """Tell whether there is a long run as shapes and encodings have it, or characters that stand apart."""
    return len(codes) >= _SHORT_RUN and (has_run(outline(codes, _RUN), _SHORT_RUN) or wrapped.has_singles(codes))


def _may_match(keyword: str, rule: Rule, searched: str, sight: Sight) -> bool:
    """Tell whether *rule* matches where *keyword* stands, or it takes more to tell."""
    if rule.before:
        return True
    if rule.needs and rule.needs not in searched:
        return False
    text, match = sight.text, compiled(rule.pattern, rule.ignore_case).match
    at = searched.find(keyword)
    for _ in range(_MOST_PLACES):
        if match(text, at):
            return True
        at = searched.find(keyword, at + 1)
        if at < 0:
            return False
    return True


def _finds_long(sight: Sight, inside: Finder, work: Work) -> bool:
    return _finds(shapes.long_looks(sight, work)) or _finds(wrapped.looks(sight, inside, work))


def _finds(looks: Iterable[Iterable[Span]]) -> bool:
    """Tell whether one of *looks* finds something."""
    for look in looks:
        for _ in look:
            return True
    return False
