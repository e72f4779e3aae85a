"""Where in a text a rule's pattern is worth a try. Where a keyword comes often, the places that are ruled out at once are left to `re`."""

import re
from functools import cache

from mcp_memory.redaction.rules import Rule, compiled
from mcp_memory.redaction.work import CHARS_PER_TRY, Work

_FEW = 16  # places: so few are tried faster than the pattern is compiled that finds the others
_FEW_MORE = 2  # after something was found: where there is one secret of a kind there may be more
_PASSED_PER_GLANCE = 8  # places that were ruled out by `re` alone: some .3 microseconds each


class Places:
    """The places of a keyword in *searched*, one after another, without most of those where its rule finds nothing nearby."""

    __slots__ = ("_keyword", "_left", "_rule", "_searched", "_work")

    def __init__(self, keyword: str, rule: Rule, searched: str, work: Work) -> None:
        self._keyword, self._rule, self._searched, self._work = keyword, rule, searched, work
        self._left = _FEW  # places that are tried one by one

    def found(self) -> None:
        """Hear that the rule matched at the place that was told last."""
        self._left = max(self._left, _FEW_MORE)

    def after(self, done: int) -> int:
        """Return the next place from *done* on, -1 where there is none."""
        if self._left or self._rule.before:
            self._left -= 1
            return self._searched.find(self._keyword, done)
        match = compiled(_worthy(self._keyword, self._rule)).search(self._searched, done)
        end = match.start() if match else len(self._searched)
        passed = self._searched.count(self._keyword, done, end)
        for number in range(_PASSED_PER_GLANCE, passed, _PASSED_PER_GLANCE):
            self._work.glance(done + (end - done) * number // passed)  # where about that place is
        return end if match else -1


@cache
def _worthy(keyword: str, rule: Rule) -> str:
    """Return a pattern of the places where *rule* matches or looks further than a glance; `re` is quick as it begins with the keyword."""
    tried = f"(?i:{rule.pattern})" if rule.ignore_case else f"(?:{rule.pattern})"
    return rf"{re.escape(keyword)}(?<=(?={rule.looks_over}{{{CHARS_PER_TRY}}}|{tried})[\s\S]{{{len(keyword)}}})"
