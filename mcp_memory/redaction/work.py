"""How much looking at a text may cost: what makes redaction linear, whatever the text."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` itself takes longer to import than a hook may take
if TYPE_CHECKING:
    from typing import Any

TEXT_PER_TRY = 50  # characters: a text of 100 kB has some 2,300 tries; ordinary text needs a tenth of that
LEAST_TRIES = 300
CHARS_PER_TRY = 128  # a try that looks at more characters than that counts as several
GLANCE = 1 / 3  # of a try: a place that is ruled out after a few characters, or by its name
GLANCE_AT_NAME = 1 / 2  # by a name that is to be told first
GLANCE_AGAIN, TRY_AGAIN = 1 / 4, 3 / 4  # where the name is known from before
_LEAST_LEFT = 4  # tries: with fewer nothing more is judged


class OutOfWork(Exception):
    """The text ends here for the look that raises it: it has too many places that could be a secret, or an earlier look had."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Work:
    """Counts tries: one for a place that is looked at, more where the look goes far. Raises OutOfWork beyond the bound.

    What is before `end` was judged by every look: where one runs out, the text ends for those after it, too, and half of the tries that
    are left are theirs. Where none are left, `end` is 0. What was judged already holds in later looks: `verdicts`, those of names in
    `kinds`, those of values in quotes in `quoted`.
    """

    __slots__ = ("_allowed", "bound", "end", "kinds", "quoted", "spent", "verdicts")

    def __init__(self, chars: int, before: Work | None = None) -> None:
        self.spent, self.bound = 0.0, LEAST_TRIES + chars // TEXT_PER_TRY
        self._allowed = self.bound * 3 / 4  # the rest is kept for the looks after one that runs out
        self.end = chars
        self.verdicts: dict[Any, Any] = {} if before is None else before.verdicts
        self.kinds: dict[str, str | None] = {} if before is None else before.kinds
        self.quoted: dict[tuple[str, str, bool], bool] = {} if before is None else before.quoted

    def spend(self, position: int, tries: float = 1) -> None:
        """Count *tries* at *position* of the text."""
        if position >= self.end:
            raise OutOfWork(position)
        self.spent += tries
        if self.spent > self._allowed:
            raise OutOfWork(position)

    def cut(self, position: int) -> None:
        """End the text at *position*, where a look ran out, for those that come after it."""
        if position >= self.end:
            return
        left = self.bound - self.spent
        self.end = position if left >= _LEAST_LEFT else 0
        self._allowed = self.spent + left / 2


class Inside(Work):
    """The work on a text that was unwrapped: all of it counts at *position*, where its wrapping begins."""

    __slots__ = ("_position", "_work")

    def __init__(self, work: Work, position: int) -> None:
        self._work, self._position = work, position
        self.verdicts, self.kinds, self.quoted = work.verdicts, work.kinds, work.quoted

    def spend(self, position: int, tries: float = 1) -> None:
        """Count *tries* at the wrapping."""
        self._work.spend(self._position, tries)
