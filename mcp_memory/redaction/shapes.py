"""Runs the table over a text: keywords first, then a rule's pattern at each place where its keyword stands."""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from mcp_memory.redaction.entropy import is_mixed, looks_random
from mcp_memory.redaction.index import AWS, LONG, Index, stands, whole_table
from mcp_memory.redaction.places import Places, is_far
from mcp_memory.redaction.rules import Rule, compiled, look
from mcp_memory.redaction.runs import LETTERS_AND_DIGITS, has_run, kind, outline, runs
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import CHARS_PER_TRY, GLANCE, GLANCE_AT_KNOWN, Work

Span = tuple[int, int, str]
AWS_ID = "aws-access-key-id"
_REACH_BEFORE = 260  # how far a pattern that begins ahead of its keyword, and is searched for, looks beyond it
_AFTER_LONG = 49  # characters that may follow a long run
_TOKEN = kind(LETTERS_AND_DIGITS + "_-")
_SESSION = r"(?:^|[;\s])(?P<name>[\w.-]{1,80}+)=(?P<value>[^\s;\"',]{16,4000}+)"
_SESSION_WORDS = ("sess", "sid", "auth", "token", "jwt", "csrf", "remember", "login", "_id")
# An AWS secret key has no prefix; it is taken for one only in a text where a key id is likely.
_AWS_KIND, _AWS_CHARS = kind(LETTERS_AND_DIGITS + "/+="), 40
_WITHOUT_DIGITS = frozenset({"mailgun-key", "bitcoin-key"})  # of their rules, those that may find something without a digit
_DIGITS = kind("0123456789")


def looks(sight: Sight, vocabulary: Vocabulary, work: Work, index: Index | None = None) -> Iterator[Iterable[Span]]:
    """Yield one look after another: each gives (start, end, rule name) of what one rule finds. Overlaps are possible.

    A look raises OutOfWork where it must end; it has judged all before then.

    Args:
        vocabulary: The words of the text.
        index: The rules; by default the whole table.
    """
    index = index or whole_table()
    before, has_id = vocabulary.before, False
    known = set() if before is None else {number for number, *_ in index.hits(before)}
    for hit in index.hits(vocabulary):
        number, keyword, rule, _ = hit
        if keyword not in (sight.plain_lowered if rule.ignore_case else sight.plain):  # nearly always
            continue
        has_id = has_id or rule.name == AWS_ID
        if before is not None and not stands(hit, sight):  # some of its words may be gone
            continue
        far = number not in known or is_far(rule, sight)  # what no look asked for yet is asked everywhere
        if sight.first(keyword, rule.ignore_case, far=far):
            yield _at_keyword(keyword, rule, sight, work, far=far)
    yield from long_looks(sight, work, index)
    if has_id or (vocabulary.has(AWS) and sight.first(AWS, far=True)) or "SecretAccessKey" in sight.plain:
        yield _aws_secrets(sight, has_id, work)


def long_looks(sight: Sight, work: Work, index: Index | None = None) -> Iterator[Iterable[Span]]:
    """Yield the look at long runs: what the rules without a telling keyword find."""
    long = outline(sight.codes, _TOKEN)
    if has_run(long, LONG):
        yield _in_long_runs(sight, long, work, index or whole_table())


def has_sign(text: str) -> bool:
    """Tell whether *text* has a keyword of the table that has no words."""
    return _has_any(text, whole_table().signs)


def _aws_secrets(sight: Sight, has_id: bool, work: Work) -> Iterator[Span]:
    for begin, end in runs(outline(sight.codes, _AWS_KIND), _AWS_CHARS, None if has_id else sight.near):
        secret = sight.text[begin:end]
        if len(secret) == _AWS_CHARS and "=" not in secret:
            work.spend(begin)
            if is_mixed(secret):
                yield begin, end, "aws-secret-key"


def _in_long_runs(sight: Sight, long: bytes, work: Work, index: Index) -> Iterator[Span]:
    """Yield what the rules without a telling keyword find. A run that comes again with the same around it is judged once."""
    text, judged = sight.text, work.verdicts
    digits = outline(sight.codes, _DIGITS)
    for begin, end in runs(long, LONG, sight.near):
        after = end + (_AFTER_LONG if text.startswith(".", end) else 1)  # a dot may go on to more of it
        around = text[begin - 1 if begin else 0 : after]
        spans = judged.get(around)
        if spans is None:
            work.spend(begin, 1 + (end - begin) // CHARS_PER_TRY)
            spans = judged[around] = []
            size, run = end - begin, text[begin : end + 1]  # a dot after it counts as its own
            rules = [rule for rule, least in index.general if size >= least and _has_any(run, rule.keywords)]
            if rules and b"x" not in digits[begin:after]:
                rules = [rule for rule in rules if rule.name in _WITHOUT_DIGITS]
            for rule in rules:
                if compiled(rule.pattern).search(text, begin, end + _AFTER_LONG):
                    spans += _in_run(rule, text, begin, end)
        else:
            work.spend(begin, GLANCE_AT_KNOWN)
        if spans:
            yield from [(begin + start, begin + stop, name) for start, stop, name in spans]


def _has_any(text: str, keywords: tuple[str, ...]) -> bool:
    for keyword in keywords:  # noqa: SIM110  (half of what `any` takes)
        if keyword in text:
            return True
    return False


def _in_run(rule: Rule, text: str, begin: int, end: int) -> Iterator[Span]:
    pattern = compiled(rule.pattern)
    for match in pattern.finditer(text, begin, end + _AFTER_LONG):
        start, stop = match.span(_group(match, _groups(pattern)))
        if match.start() < end and (rule.check is None or rule.check(text[start:stop])):
            yield start - begin, stop - begin, rule.name


def _at_keyword(keyword: str, rule: Rule, sight: Sight, work: Work, *, far: bool) -> Iterator[Span]:
    text, pattern, check, spend = sight.text, compiled(rule.pattern, rule.ignore_case), rule.check, work.spend
    groups, before = _groups(pattern), rule.before
    is_list = "list" in groups
    places, size = Places(keyword, rule, sight, work, far=far), len(keyword)
    checked = work.verdicts.setdefault(check, {})  # once a text: an example, or a header, comes again and again
    done, is_found = 0, False
    while (at := places.after(done, is_found)) >= 0:
        match = pattern.search(text, max(done, at - before), at + _REACH_BEFORE) if before else pattern.match(text, at)
        done = at + size
        is_found = match is not None and match.start() <= done
        if match and is_found:
            spend(at)
            if is_list:
                yield from _in_list(rule, match, work)
            else:
                start, end = match.span(_group(match, groups))
                if check is not None and (is_secret := checked.get(secret := text[start:end])) is None:
                    is_secret = checked[secret] = check(secret)
                if check is None or is_secret:
                    yield start, end, rule.name
            done = max(match.end(), done)
        elif over := _looked_at(rule, text, at) // CHARS_PER_TRY:
            spend(at, 1 + over)
        else:
            spend(at, GLANCE)


def _looked_at(rule: Rule, text: str, at: int) -> int:
    """Return how many characters a pattern looked at that did not match."""
    if rule.before:
        return rule.before + _REACH_BEFORE
    over, far = look(rule.pattern)
    if far < CHARS_PER_TRY or (rule.begins_word and at and text[at - 1].isalnum() and text[at - 2 : at - 1] != "\\"):
        return 0
    seen = compiled(f"{over}{{0,{far}}}+").match(text, at)
    return seen.end() - at if seen else 0


def _group(match: re.Match[str], groups: tuple[str, ...]) -> str | int:
    """Return the group that is the secret: the first of the named ones, *groups*, that took part; else the whole match."""
    for group in groups:
        if match.start(group) >= 0:
            return group
    return 0


@cache
def _groups(pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the named groups of *pattern* but the quote's. Not for each match: to look a pattern up goes through all of it."""
    return tuple(group for group in pattern.groupindex if group != "q")


def _in_list(rule: Rule, match: re.Match[str], work: Work) -> Iterator[Span]:
    """Yield what is a secret among cookies: each of them is judged by its own name."""
    work.spend(match.start("list"), len(match["list"]) / CHARS_PER_TRY)
    for cookie in compiled(_SESSION).finditer(match["list"]):
        name = cookie["name"].lower()
        if any(word in name for word in _SESSION_WORDS):
            start, end = (match.start("list") + place for place in cookie.span("value"))
            work.spend(start, 1 + (end - start) // CHARS_PER_TRY)
            if looks_random(cookie["value"]):
                yield start, end, rule.name
