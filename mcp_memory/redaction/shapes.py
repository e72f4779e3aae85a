"""Runs the table over a text: keywords first, then a rule's pattern at each place where its keyword stands."""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache, lru_cache
from operator import itemgetter

from mcp_memory.redaction.entropy import is_mixed, looks_random
from mcp_memory.redaction.places import Places
from mcp_memory.redaction.rules import START, Rule, compiled, look
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import CHARS_PER_TRY, GLANCE, Work

Span = tuple[int, int, str]
Entry = tuple[int, str, Rule, frozenset[bytes]]  # a keyword of the table: where it stands there, its rule, the whole words in it
_AWS, _AWS_ID = "aws", "aws-access-key-id"
_REACH_BEFORE = 260  # how far a pattern that begins ahead of its keyword, and is searched for, looks beyond it
_LONG, _AFTER_LONG = 23, 49  # characters: the run that every rule without a telling keyword begins with, and what may follow
_TOKEN = kind(LETTERS_AND_DIGITS + "_-")
_SESSION = r"(?:^|[;\s])(?P<name>[\w.-]{1,80}+)=(?P<value>[^\s;\"',]{16,4000}+)"
_SESSION_WORDS = ("sess", "sid", "auth", "token", "jwt", "csrf", "remember", "login", "_id")
# An AWS secret key has no prefix; it is taken for one only in a text where a key id is likely.
_AWS_KIND, _AWS_CHARS = kind(LETTERS_AND_DIGITS + "/+="), 40
_GENERAL = frozenset({"_", "-", "-us", ".", "5", "K", "L"})  # keywords that say little: their pattern searches itself
_WITHOUT_DIGITS = frozenset({"mailgun-key", "bitcoin-key"})  # of their rules, those that may find something without a digit
_DIGITS = kind("0123456789")
_PARTS = r"[A-Za-z0-9]+"
_HEAD_CHARS = 3
_FEW_WORDS = 4  # what so few known words may ask for is kept


class Index:
    """The table's keywords, by the cheapest question that rules them out: a whole word of the text, how one begins, a part of one."""

    def __init__(self, rules: Sequence[Rule] = TABLE) -> None:
        self.whole: dict[bytes, list[Entry]] = {}
        self.heads: dict[str, list[Entry]] = {}
        self.parts: dict[str, list[Entry]] = {}
        self.general = tuple(rule for rule in rules if not _GENERAL.isdisjoint(rule.keywords))
        self.digitless = tuple(rule for rule in self.general if rule.name in _WITHOUT_DIGITS)
        keywords = ((keyword, rule) for rule in rules if rule not in self.general for keyword in rule.keywords)
        for number, (keyword, rule) in enumerate(keywords):
            self._add(number, keyword, rule)
        self._heads_by_start: dict[bytes, list[str]] = {}  # those of three characters or more, by the first three
        for head in self.heads:
            if len(head) >= _HEAD_CHARS:
                self._heads_by_start.setdefault(head[:_HEAD_CHARS].encode(), []).append(head)
        self._short_heads = [head for head in self.heads if len(head) < _HEAD_CHARS]
        self.signs = tuple({keyword for _, keyword, _, _ in self.parts.get("", ())})  # keywords without any word

    def _add(self, number: int, keyword: str, rule: Rule) -> None:
        is_prefix = rule.pattern.startswith(START)
        lowered, parts = keyword.lower(), compiled(_PARTS).findall
        words = [] if rule.is_glued else parts(lowered + ("a" if is_prefix else ""))
        if is_prefix and words:  # letters may follow it
            words.pop()
        entry = (number, keyword, rule, frozenset(word.encode() for word in words))
        if words:
            self.whole.setdefault(max(words, key=len).encode(), []).append(entry)
            return
        part = max(parts(lowered), key=len, default="")
        if is_prefix and not rule.is_glued:
            self.heads.setdefault(part, []).append(entry)
        else:
            self.parts.setdefault(part, []).append(entry)

    def asked(self) -> tuple[set[bytes], list[str], list[str]]:
        """Return what is asked of the words of a text: to be one of these, to begin with one, to have one as a part."""
        whole = {word for entries in self.whole.values() for _, _, _, words in entries for word in words}
        return whole, list(self.heads), [*filter(None, self.parts), _AWS]

    def hits(self, vocabulary: Vocabulary) -> list[Entry]:
        """Return the keywords that the text may have, in the table's order: of two rules for one place the first gives the name."""
        few = vocabulary.are_known and len(vocabulary.words) <= _FEW_WORDS
        return _likely(self, frozenset(vocabulary.words)) if few else self.likely(vocabulary.words, vocabulary.joined)

    def likely(self, words: Set[bytes], joined: str) -> list[Entry]:
        """Return the keywords whose words a text of these *words* has, in the table's order."""
        found = [entry for word in self.whole.keys() & words for entry in self.whole[word] if entry[3] <= words]
        found += [entry for part, entries in self.parts.items() if part in joined for entry in entries]
        begun = self._heads_by_start.keys() & {word[:_HEAD_CHARS] for word in words}
        heads = [head for start in begun for head in self._heads_by_start[start]] + self._short_heads
        found += [entry for head in heads if f" {head}" in joined for entry in self.heads[head]]
        return sorted(found, key=itemgetter(0))


@lru_cache(maxsize=4096)
def _likely(index: Index, words: frozenset[bytes]) -> list[Entry]:
    return index.likely(words, b" ".join([b"", *words]).decode())


@cache
def whole_table() -> Index:
    """Return the index of the whole table."""
    return Index()


def looks(sight: Sight, vocabulary: Vocabulary, work: Work, index: Index | None = None) -> Iterator[Iterable[Span]]:
    """Yield one look after another: each gives (start, end, rule name) of what one rule finds. Overlaps are possible.

    A look raises OutOfWork where it must end; it has judged all before then.

    Args:
        vocabulary: The words of the text.
        index: The rules; by default the whole table.
    """
    index = index or whole_table()
    hits = index.hits(vocabulary)
    for _, keyword, rule, _ in hits:
        if sight.first(keyword, rule.ignore_case):
            yield _at_keyword(keyword, rule, sight, work)
    long = outline(sight.codes, _TOKEN)
    if has_run(long, _LONG):
        yield _in_long_runs(sight, long, work, index)
    has_id = any(rule.name == _AWS_ID and sight.first(keyword, False) for _, keyword, rule, _ in hits)
    if has_id or _AWS in vocabulary.joined or "SecretAccessKey" in sight.plain:
        yield _aws_secrets(sight, work)


def has_sign(text: str) -> bool:
    """Tell whether *text* has a keyword of the table that has no words."""
    return _has_any(text, whole_table().signs)


def _aws_secrets(sight: Sight, work: Work) -> Iterator[Span]:
    for begin, end in runs(outline(sight.codes, _AWS_KIND), _AWS_CHARS):
        secret = sight.text[begin:end]
        if len(secret) == _AWS_CHARS and "=" not in secret:
            work.spend(begin)
            if is_mixed(secret):
                yield begin, end, "aws-secret-key"


def _in_long_runs(sight: Sight, long: bytes, work: Work, index: Index) -> Iterator[Span]:
    """Yield what the rules without a telling keyword find. A run that comes again with the same around it is judged once."""
    text, judged = sight.text, work.verdicts
    digits = outline(sight.codes, _DIGITS)
    for begin, end in runs(long, _LONG):
        around = text[max(0, begin - 1) : end + _AFTER_LONG]
        spans = judged.get(around)
        if spans is None:
            work.spend(begin, 1 + (end - begin) // CHARS_PER_TRY)
            rules = index.general if b"x" in digits[begin : end + _AFTER_LONG] else index.digitless
            spans = [found for rule in rules if _has_any(around, rule.keywords) for found in _in_run(rule, text, begin, end)]
            judged[around] = spans
        for start, stop, name in spans:
            yield begin + start, begin + stop, name


def _has_any(text: str, keywords: tuple[str, ...]) -> bool:
    for keyword in keywords:  # noqa: SIM110  (half of what `any` takes)
        if keyword in text:
            return True
    return False


def _in_run(rule: Rule, text: str, begin: int, end: int) -> Iterator[Span]:
    for match in compiled(rule.pattern).finditer(text, begin, end + _AFTER_LONG):
        start, stop = match.span(_group(match))
        if match.start() < end and (rule.check is None or rule.check(text[start:stop])):
            yield start - begin, stop - begin, rule.name


def _at_keyword(keyword: str, rule: Rule, sight: Sight, work: Work) -> Iterator[Span]:
    text, pattern, check = sight.text, compiled(rule.pattern, rule.ignore_case), rule.check
    is_list = "list" in pattern.groupindex
    places = Places(keyword, rule, sight, work)
    done = 0
    while (at := places.after(done)) >= 0:
        match = pattern.search(text, max(done, at - rule.before), at + _REACH_BEFORE) if rule.before else pattern.match(text, at)
        done = at + len(keyword)
        if match and match.start() <= done:
            work.spend(at)
            places.found()
            if is_list:
                yield from _in_list(rule, match, work)
            elif check is None or check(match[_group(match)]):
                yield *match.span(_group(match)), rule.name
            done = max(match.end(), done)
        elif far := _looked_at(rule, text, at) // CHARS_PER_TRY:
            work.spend(at, 1 + far)
        else:
            work.spend(at, GLANCE)


def _looked_at(rule: Rule, text: str, at: int) -> int:
    """Return how many characters a pattern looked at that did not match."""
    if rule.before:
        return rule.before + _REACH_BEFORE
    over, far = look(rule.pattern)
    if far < CHARS_PER_TRY or (rule.begins_word and at and text[at - 1].isalnum() and text[at - 2 : at - 1] != "\\"):
        return 0
    seen = compiled(f"{over}{{0,{far}}}+").match(text, at)
    return seen.end() - at if seen else 0


def _group(match: re.Match[str]) -> str | int:
    """Return the group that is the secret: the first of the named ones that took part, but the quote's; else the whole match."""
    for group in _groups(match.re):
        if match.start(group) >= 0:
            return group
    return 0


@cache
def _groups(pattern: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(group for group in pattern.groupindex if group != "q")


def _in_list(rule: Rule, match: re.Match[str], work: Work) -> Iterator[Span]:
    """Yield what is a secret among cookies: each of them is judged by its own name."""
    for cookie in compiled(_SESSION).finditer(match["list"]):
        name = cookie["name"].lower()
        if any(word in name for word in _SESSION_WORDS):
            start, end = (match.start("list") + place for place in cookie.span("value"))
            work.spend(start, 1 + (end - start) // CHARS_PER_TRY)
            if looks_random(cookie["value"]):
                yield start, end, rule.name
