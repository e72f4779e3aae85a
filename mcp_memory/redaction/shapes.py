"""Runs the table over a text: keywords first, then a rule's pattern at each place where its keyword stands."""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cache, lru_cache
from operator import itemgetter

from mcp_memory.redaction.entropy import is_mixed, looks_random
from mcp_memory.redaction.places import Places
from mcp_memory.redaction.rules import START, Rule, compiled
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import CHARS_PER_TRY, Work

Span = tuple[int, int, str]
Entry = tuple[int, str, Rule, frozenset[bytes]]  # a keyword of the table: where it stands there, its rule, the whole words in it
_AWS, _AWS_ID = "aws", "aws-access-key-id"
_REACH_BEFORE = 260  # how far a pattern that begins ahead of its keyword, and is searched for, looks beyond it
_LONG, _AFTER_LONG = 23, 49  # characters: the run that every rule without a telling keyword begins with, and what may follow
_TOKEN = kind(LETTERS_AND_DIGITS + "_-")
_SESSION = r"(?:^|[;\s])(?P<name>[\w.-]{1,80}+)=(?P<value>[^\s;\"',]{16,4000}+)"
_SESSION_WORDS = ("sess", "sid", "auth", "token", "jwt", "csrf", "remember", "login", "_id")
# An AWS secret key has no prefix; it is taken for one only in a text where a key id is likely.
_AWS_SECRET = r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
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
        lowered = keyword.lower()
        words = [] if rule.is_glued else re.findall(_PARTS, lowered + ("a" if is_prefix else ""))
        if is_prefix and words:  # letters may follow it
            words.pop()
        entry = (number, keyword, rule, frozenset(word.encode() for word in words))
        if words:
            self.whole.setdefault(max(words, key=len).encode(), []).append(entry)
            return
        part = max(re.findall(_PARTS, lowered), key=len, default="")
        if is_prefix and not rule.is_glued:
            self.heads.setdefault(part, []).append(entry)
        else:
            self.parts.setdefault(part, []).append(entry)

    def asked(self) -> tuple[set[bytes], list[str], list[str]]:
        """Return what is asked of the words of a text: to be one of these, to begin with one, to have one as a part."""
        whole = {word for entries in self.whole.values() for _, _, _, words in entries for word in words}
        return whole, list(self.heads), [*filter(None, self.parts), _AWS]

    def hits(self, text: str, lowered: str, vocabulary: Vocabulary) -> list[Entry]:
        """Return the keywords that *text* has, in the table's order: of two rules for one place the first gives the name."""
        few = vocabulary.are_known and len(vocabulary.words) <= _FEW_WORDS
        likely = _likely(self, frozenset(vocabulary.words)) if few else self.likely(vocabulary.words, vocabulary.joined)
        return [entry for entry in likely if entry[1] in (lowered if entry[2].ignore_case else text)]

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


def find(text: str, lowered: str, codes: bytes, vocabulary: Vocabulary, work: Work, index: Index | None = None) -> Iterable[Span]:
    """Return (start, end, rule name) of every shape in *text*; overlaps are possible. Raises OutOfWork.

    Args:
        lowered: *text* in lower case.
        codes: *text* as `runs` looks at it.
        vocabulary: Its words.
        index: The rules; by default the whole table.
    """
    index = index or whole_table()
    hits = index.hits(text, lowered, vocabulary)
    is_aws = _AWS in vocabulary.joined or "SecretAccessKey" in text or any(rule.name == _AWS_ID for _, _, rule, _ in hits)
    is_long = has_run(codes, _TOKEN, _LONG)
    if not (hits or is_aws or is_long):
        return ()
    return _found(text, lowered, codes, hits, index if is_long else None, work, is_aws=is_aws)


def has_sign(text: str) -> bool:
    """Tell whether *text* has a keyword of the table that has no words."""
    for sign in whole_table().signs:  # noqa: SIM110  (half of what `any` takes)
        if sign in text:
            return True
    return False


def _found(
    text: str, lowered: str, codes: bytes, hits: Sequence[Entry], index: Index | None, work: Work, *, is_aws: bool
) -> Iterator[Span]:
    for _, keyword, rule, _ in hits:
        yield from _at_keyword(keyword, rule, text, lowered if rule.ignore_case else text, work)
    if index is not None:
        yield from _in_long_runs(text, codes, work, index)
    if is_aws:
        for match in compiled(_AWS_SECRET).finditer(text):
            work.spend(match.start())
            if is_mixed(match[0]):
                yield *match.span(), "aws-secret-key"


def _in_long_runs(text: str, codes: bytes, work: Work, index: Index) -> Iterator[Span]:
    """Yield what the rules without a telling keyword find. A run that comes again with the same around it is judged once."""
    judged: dict[str, list[Span]] = {}
    digits = outline(codes, _DIGITS)
    for begin, end in runs(codes, _TOKEN, _LONG):
        around = text[max(0, begin - 1) : end + _AFTER_LONG]
        spans = judged.get(around)
        if spans is None:
            work.spend(begin, 1 + (end - begin) // CHARS_PER_TRY)
            spans = [
                (start - begin, stop - begin, rule.name)
                for rule in (index.general if b"x" in digits[begin : end + _AFTER_LONG] else index.digitless)
                if any(k in around for k in rule.keywords)
                for match in compiled(rule.pattern).finditer(text, begin, end + _AFTER_LONG)
                for start, stop in (match.span(_group(match)),)
                if match.start() < end and (rule.check is None or rule.check(text[start:stop]))
            ]
            judged[around] = spans
        for start, stop, name in spans:
            yield begin + start, begin + stop, name


def _at_keyword(keyword: str, rule: Rule, text: str, searched: str, work: Work) -> Iterator[Span]:
    pattern = compiled(rule.pattern, rule.ignore_case)
    places = Places(keyword, rule, searched, work)
    done = 0
    while (at := places.after(done)) >= 0:
        match = pattern.search(text, max(done, at - rule.before), at + _REACH_BEFORE) if rule.before else pattern.match(text, at)
        done = at + len(keyword)
        if match and match.start() <= done:
            work.spend(at)
            places.found()
            yield from _judged(rule, match)
            done = max(match.end(), done)
        elif far := _looked_at(rule, text, at) // CHARS_PER_TRY:
            work.spend(at, 1 + far)
        else:
            work.glance(at)


def _looked_at(rule: Rule, text: str, at: int) -> int:
    """Return how many characters a pattern looked at that did not match."""
    if rule.before:
        return rule.before + _REACH_BEFORE
    seen = compiled(rule.looks_over + rule.looks_far).match(text, at)
    return seen.end() - at if seen else 0


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
