"""Runs the table over a text: keywords first, then a rule's pattern at each place where its keyword stands."""

import re
from collections.abc import Iterator
from functools import cache

from mcp_memory.redaction.entropy import is_mixed, looks_random
from mcp_memory.redaction.rules import START, Rule
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.work import Work

Span = tuple[int, int, str]
_AWS_ID = "aws-access-key-id"
_CHARS_PER_WORK = 128
_REACH = 700  # how far a rule that begins ahead of its keyword looks beyond it
_LONG = 30  # characters of the shortest word that a rule without a telling keyword finds
# Most keywords begin a word (`ghp_`, `sk-`, `AKIA`), so the set of how a text's words begin rules them out at once.
_HEAD_CHARS = 3
_WORDS_ONLY = bytes(code if chr(code).isalnum() and code < 128 else 32 for code in range(256))
_RUN = re.compile(r"[^\s\"'`,;<>()\[\]{}]*+")
_SESSION = re.compile(r"(?:^|[;\s])(?P<name>[\w.-]{1,80}+)=(?P<value>[^\s;\"',]{16,4000}+)")
_SESSION_WORDS = ("sess", "sid", "auth", "token", "jwt", "csrf", "remember", "login", "_id")
# An AWS secret key has no prefix; it is taken for one only in a text where a key id is likely.
_AWS_SECRET = r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])"
_GENERAL = frozenset(
    {"_", "-", "-us", ".", "1/", "2/", "00", "5", "K", "L", "SK"}
)  # keywords that say little: their pattern searches itself
_AT = {rule: rule for rule in TABLE if _GENERAL.isdisjoint(rule.keywords)}
_FIRST_WORD = re.compile(r"[A-Za-z0-9]+")
_SEARCHED = tuple(rule for rule in TABLE if rule not in _AT)
_HEADED: dict[bytes, list[tuple[str, Rule]]] = {}
_DIRECT: list[tuple[str, Rule]] = []
_LOWERED = [(k, r) for r in _AT for k in r.keywords if r.ignore_case]
for _keyword, _rule in ((k, r) for r in _AT for k in r.keywords if not r.ignore_case):
    if _rule.pattern.startswith((START, r"(?<![\w.])", r"\b")) and not _rule.before and (_word := _FIRST_WORD.match(_keyword)):
        _HEADED.setdefault(_word[0][:_HEAD_CHARS].encode(), []).append((_keyword, _rule))
    else:
        _DIRECT.append((_keyword, _rule))


def find(text: str, lowered: str, work: Work) -> Iterator[Span]:
    """Yield (start, end, rule name) of every shape in *text*; overlaps are possible. *lowered* is *text* in lower case. Raises OutOfWork."""
    hits = [(k, r) for k, r in _DIRECT if k in text]
    words = set(text.encode("ascii", "replace").translate(_WORDS_ONLY).split())
    heads = {word[:_HEAD_CHARS] for word in words}
    heads |= {word[1 : _HEAD_CHARS + 1] for word in words if word[0] in b"nrt"}  # the letter of a `\\n` before it, as in START
    heads |= {head[:2] for head in heads} | {head[:1] for head in heads}
    hits += [(k, r) for head in _HEADED.keys() & heads for k, r in _HEADED[head] if k in text]
    hits += [(k, r) for k, r in _LOWERED if k in lowered]
    for keyword, rule in hits:
        yield from _at_keyword(keyword, rule, text, lowered if rule.ignore_case else text, work)
    for begin, end in long_words(text, _LONG):
        work.spend(begin, 1 + (end - begin) // _CHARS_PER_WORK)
        word = text[begin:end]
        for rule in _SEARCHED:
            if any(k in word for k in rule.keywords):
                yield from _searched(rule, text, begin, end, work)
    if any(rule.name == _AWS_ID for _, rule in hits) or "aws" in lowered or "SecretAccessKey" in text:
        for match in _compiled(_AWS_SECRET, False).finditer(text):
            work.spend(match.start())
            if is_mixed(match[0]):
                yield *match.span(), "aws-secret-key"


def _at_keyword(keyword: str, rule: Rule, text: str, searched: str, work: Work) -> Iterator[Span]:
    compiled = _compiled(rule.pattern, rule.ignore_case)
    at, done = searched.find(keyword), 0
    while at >= 0:
        begin = max(done, at - rule.before)
        match = compiled.search(text, begin, at + _REACH) if rule.before else compiled.match(text, at)
        if match and match.start() <= at + len(keyword):
            work.spend(at)
            yield from _judged(rule, match)
            done = max(match.end(), at + len(keyword))
        else:
            run = _RUN.match(text, at)
            work.spend(at, 1 + ((run.end() - at if run else 0) + (rule.before and _REACH)) // _CHARS_PER_WORK)
            done = at + len(keyword)
        at = searched.find(keyword, done)


def long_words(text: str, least: int) -> list[tuple[int, int]]:
    """Return where the words of at least *least* characters stand in *text*, words being what blanks separate."""
    found, at = [], 0
    for word in text.split():
        if len(word) >= least:
            at = text.index(word, at)
            found.append((at, at + len(word)))
            at += len(word)
    return found


def _searched(rule: Rule, text: str, begin: int, end: int, work: Work) -> Iterator[Span]:
    for match in _compiled(rule.pattern, rule.ignore_case).finditer(text, begin, end):
        work.spend(match.start())
        yield from _judged(rule, match)


def _judged(rule: Rule, match: re.Match[str]) -> Iterator[Span]:
    groups = match.re.groupindex
    if "list" in groups:  # cookies: each of them is judged by its own name
        for cookie in _SESSION.finditer(match["list"]):
            if looks_random(cookie["value"]) and any(word in cookie["name"].lower() for word in _SESSION_WORDS):
                yield match.start("list") + cookie.start("value"), match.start("list") + cookie.end("value"), rule.name
        return
    group = next((g for g in groups if match[g] is not None and g != "q"), 0)
    if rule.check is None or rule.check(match[group]):
        yield *match.span(group), rule.name


@cache
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
