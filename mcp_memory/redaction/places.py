"""Where in a text a rule's pattern is worth a try. Where a keyword comes often, the places that are ruled out at once are left to `re`."""

import re
from collections.abc import Iterator
from functools import cache

from mcp_memory.redaction.near import REACH
from mcp_memory.redaction.rules import START, Rule, compiled, look
from mcp_memory.redaction.sight import FEW, Sight
from mcp_memory.redaction.work import CHARS_PER_TRY, GLANCE, Work

_NEVER = r"(?!)"
_FEW_MORE = 2  # after something was found: where there is one secret of a kind there may be more
_PASSED_PER_GLANCE = 8  # places that were ruled out by `re` alone: some .3 microseconds each


class Places:
    """The places of a keyword in a text, one after another, without most of those where its rule finds nothing nearby."""

    __slots__ = ("_at", "_first", "_is_over", "_keyword", "_left", "_near", "_plain", "_rule", "_searched", "_work")

    def __init__(self, keyword: str, rule: Rule, sight: Sight, work: Work, *, far: bool) -> None:
        """Take a rule with its keyword; *far*: a later look is at all its places, not only at those near a marker."""
        self._keyword, self._rule, self._work = keyword, rule, work
        self._searched, self._plain = (sight.lowered, sight.plain_lowered) if rule.ignore_case else (sight.text, sight.plain)
        self._first, self._at = sight.first(keyword, rule.ignore_case, far=far), 0  # they are tried one by one
        self._near = None if far else sight.near
        self._is_over = False
        self._left = 0  # so are these after them

    def after(self, done: int, is_found: bool = False) -> int:
        """Return the next place from *done* on, -1 where there is none; *is_found*: the rule matched at the place that was told last."""
        if is_found:
            self._left = _FEW_MORE
        near = self._near
        if near is None:
            return self._after(done)
        at = self._after(done)
        while at >= 0 and (there := near.next(at)) != at:
            at = self._after(there) if there >= 0 else -1
        return at

    def _after(self, done: int) -> int:
        first = self._first
        while self._at < len(first):
            at = first[self._at]
            self._at += 1
            if at >= done:
                return at
        if len(first) < FEW:
            return -1
        if not self._is_over:
            self._is_over = True
            self._work.pass_over(len(self._searched))
        if self._left or self._rule.before:
            self._left -= 1
            return self._plain.find(self._keyword, done)
        return self._searched_for(done)

    def _searched_for(self, done: int) -> int:
        can_match = not self._rule.needs or self._plain.find(self._rule.needs, done) >= 0
        pattern, near, size = compiled(_worthy(self._keyword, self._rule, can_match)), self._near, len(self._searched)
        while (done := near.next(done) if near else done) >= 0:
            last = near.end(done) if near else size
            match = pattern.search(self._searched, done, last)
            end = match.start() if match else min(last, size)
            passed = self._plain.count(self._keyword, done, end)
            for number in range(_PASSED_PER_GLANCE, passed, _PASSED_PER_GLANCE):
                self._work.spend(done + (end - done) * number // passed, GLANCE)  # where about that place is
            if match or not near:
                return end if match else -1
            done = last
        return -1


def is_far(rule: Rule, sight: Sight) -> bool:
    """Tell whether in a later look the places of a rule count that are not near a marker, for it looks that far."""
    return sight.near is not None and look(rule.pattern)[1] + rule.before >= REACH


def matches(word: str, rest: str, sight: Sight) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield where *word* stands in lower case, with the match of the pattern *rest* after it; the first few are tried one by one."""
    first = sight.first(word)
    if not first:
        return
    pattern, size = compiled(rest), len(word)  # one for all words: a short text is not to wait for a dozen to be compiled
    done = 0
    for at in first:
        if at >= done and (match := pattern.match(sight.lowered, at + size)):
            yield at, match
            done = match.end()
    if len(first) < FEW:
        return
    pattern, done, near = compiled(word + rest), max(done, first[-1] + 1), sight.near
    if near is None:
        for match in pattern.finditer(sight.lowered, done):
            yield match.start(), match
        return
    while (done := near.next(done)) >= 0:
        end = near.end(done)
        found = pattern.search(sight.lowered, done, end)
        done = found.start() if found else end
        if found and near.next(done) == done:
            yield done, found
            done = found.end()


@cache
def _worthy(keyword: str, rule: Rule, can_match: bool) -> str:
    """Return a pattern of the places where *rule* matches or looks further than a glance; `re` is quick as it begins with the keyword."""
    tried = _NEVER if not can_match else f"(?i:{rule.pattern})" if rule.ignore_case else f"(?:{rule.pattern})"
    begin = START if rule.begins_word else ""
    over, most = look(rule.pattern)
    far = f"{begin}{over}{{{CHARS_PER_TRY}}}|" if most >= CHARS_PER_TRY else ""
    return rf"{re.escape(keyword)}(?<=(?={far}{tried})[\s\S]{{{len(keyword)}}})"
