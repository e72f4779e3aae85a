"""Runs the table over a text: keywords first, then a rule's pattern at each place where its keyword stands."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from operator import itemgetter

from mcp_memory.redaction.entropy import is_mixed, looks_random
from mcp_memory.redaction.rules import START, Rule, compiled
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.work import CHARS_PER_TRY, Work

Span = tuple[int, int, str]
Entry = tuple[int, str, Rule, frozenset[bytes]]  # a keyword of the table: where it stands there, its rule, the whole words in it
_AWS_ID = "aws-access-key-id"
_REACH = 700  # how far a pattern looks beyond its keyword
_REACH_BEFORE = 260  # the same for one that begins ahead of its keyword, and is searched for
_LONG = 30  # characters of the shortest word that a rule without a telling keyword finds
_HEAD_CHARS = 4
_WORDS_ONLY = bytes(code if chr(code).isalnum() and code < 128 else 32 for code in range(256))
_RUN = r"[^\s\"'`,;<>()\[\]{}]*+"
_SESSION = r"(?:^|[;\s])(?P<name>[\w.-]{1,80}+)=(?P<value>[^\s;\"',]{16,4000}+)"
_SESSION_WORDS = ("sess", "sid", "auth", "token", "jwt", "csrf", "remember", "login", "_id")
# An AWS secret key has no prefix; it is taken for one only in a text where a key id is likely.
_AWS_SECRET = r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
_GENERAL = frozenset({"_", "-", "-us", ".", "5", "K", "L"})  # keywords that say little: their pattern searches itself
_PARTS = r"[A-Za-z0-9]+"


class Index:
    """The table's keywords, by the cheapest question that rules them out: a whole word of the text, how a word begins, a piece of it."""

    def __init__(self, rules: Sequence[Rule] = TABLE) -> None:
        self.whole: dict[bytes, list[Entry]] = {}
        self.heads: dict[bytes, list[Entry]] = {}
        self.pieces: list[Entry] = []
        self.general = tuple(rule for rule in rules if not _GENERAL.isdisjoint(rule.keywords))
        keywords = ((keyword, rule) for rule in rules if rule not in self.general for keyword in rule.keywords)
        for number, (keyword, rule) in enumerate(keywords):
            self._add(number, keyword, rule)

    def _add(self, number: int, keyword: str, rule: Rule) -> None:
        is_prefix = rule.pattern.startswith(START)
        words = [] if rule.is_glued else re.findall(_PARTS, keyword.lower() + ("a" if is_prefix else ""))
        if is_prefix and words:  # letters may follow it
            words.pop()
        entry = (number, keyword, rule, frozenset(word.encode() for word in words))
        if words:
            self.whole.setdefault(max(words, key=len).encode(), []).append(entry)
        elif is_prefix and not rule.is_glued:
            self.heads.setdefault(keyword[:_HEAD_CHARS].lower().encode(), []).append(entry)
        else:
            self.pieces.append(entry)

    def hits(self, text: str, lowered: str) -> list[Entry]:
        """Return the keywords that *text* has, in the table's order: of two rules for one place the first gives the name."""
        words = set(lowered.encode("ascii", "replace").translate(_WORDS_ONLY).split())
        if "\\" in text:
            words |= {word[1:] for word in words if word[0] in b"nrt"}  # the letter of a `\\n` before it, as in START
        heads = {word[:_HEAD_CHARS] for word in words}
        heads |= {head[:size] for head in heads for size in (2, 3)}
        found = [entry for word in self.whole.keys() & words for entry in self.whole[word] if entry[3] <= words]
        found += [entry for head in self.heads.keys() & heads for entry in self.heads[head]]
        found = [entry for entry in (*found, *self.pieces) if entry[1] in (lowered if entry[2].ignore_case else text)]
        return sorted(found, key=itemgetter(0))


@cache
def _whole_table() -> Index:
    return Index()


def find(text: str, lowered: str, words: Sequence[str], work: Work, index: Index | None = None) -> Iterator[Span]:
    """Yield (start, end, rule name) of every shape in *text*; overlaps are possible. Raises OutOfWork.

    Args:
        lowered: *text* in lower case.
        words: Its words, being what blanks separate.
        index: The rules; by default the whole table.
    """
    index = index or _whole_table()
    hits = index.hits(text, lowered)
    for _, keyword, rule, _ in hits:
        yield from _at_keyword(keyword, rule, text, lowered if rule.ignore_case else text, work)
    yield from _in_long_words(text, words, work, index)
    if any(rule.name == _AWS_ID for _, _, rule, _ in hits) or "aws" in lowered or "SecretAccessKey" in text:
        for match in compiled(_AWS_SECRET).finditer(text):
            work.spend(match.start())
            if is_mixed(match[0]):
                yield *match.span(), "aws-secret-key"


def _in_long_words(text: str, words: Sequence[str], work: Work, index: Index) -> Iterator[Span]:
    """Yield what the rules without a telling keyword find. A word that comes again is judged once."""
    judged: dict[str, list[Span]] = {}
    for begin, word in long_words(text, words, _LONG):
        spans = judged.get(word)
        if spans is None:
            work.spend(begin, 1 + len(word) // CHARS_PER_TRY)
            spans = [
                (*match.span(_group(match)), rule.name)
                for rule in index.general
                if any(k in word for k in rule.keywords)
                for match in compiled(rule.pattern).finditer(word)
                if rule.check is None or rule.check(match[_group(match)])
            ]
            judged[word] = spans
        for start, end, name in spans:
            yield begin + start, begin + end, name


def _at_keyword(keyword: str, rule: Rule, text: str, searched: str, work: Work) -> Iterator[Span]:
    pattern = compiled(rule.pattern, rule.ignore_case)
    at, done = searched.find(keyword), 0
    while at >= 0:
        begin = max(done, at - rule.before)
        match = pattern.search(text, begin, at + _REACH_BEFORE) if rule.before else pattern.match(text, at)
        if match and match.start() <= at + len(keyword):
            work.spend(at)
            yield from _judged(rule, match)
            done = max(match.end(), at + len(keyword))
        else:
            if far := _looked_at(rule, text, at) // CHARS_PER_TRY:
                work.spend(at, 1 + far)
            else:
                work.glance(at)
            done = at + len(keyword)
        at = searched.find(keyword, done)


def _looked_at(rule: Rule, text: str, at: int) -> int:
    """Return how many characters a pattern looked at that did not match: along the line, or the word."""
    if rule.before:
        return rule.before + _REACH_BEFORE
    if rule.along_line:
        end = text.find("\n", at, at + _REACH)
        return (end if end >= 0 else min(len(text), at + _REACH)) - at
    run = compiled(_RUN).match(text, at)
    return run.end() - at if run else 0


def long_words(text: str, words: Sequence[str], least: int) -> Iterator[tuple[int, str]]:
    """Yield where those of the *words* of *text* stand that have at least *least* characters, and the word."""
    at = 0
    for word in words:
        if len(word) >= least:
            at = text.index(word, at)
            yield at, word
            at += len(word)


def _group(match: re.Match[str]) -> str | int:
    """Return the group that is the secret: the first of the named ones that took part, but the quote's; else the whole match."""
    return next((g for g in match.re.groupindex if match[g] is not None and g != "q"), 0)


def _judged(rule: Rule, match: re.Match[str]) -> Iterator[Span]:
    if "list" in match.re.groupindex:  # cookies: each of them is judged by its own name
        for cookie in compiled(_SESSION).finditer(match["list"]):
            if looks_random(cookie["value"]) and any(word in cookie["name"].lower() for word in _SESSION_WORDS):
                yield match.start("list") + cookie.start("value"), match.start("list") + cookie.end("value"), rule.name
        return
    group = _group(match)
    if rule.check is None or rule.check(match[group]):
        yield *match.span(group), rule.name
