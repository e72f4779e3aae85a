"""How much looking at a text may cost: what makes redaction linear, whatever the text."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` itself takes longer to import than a hook may take
if TYPE_CHECKING:
    from typing import Any

TEXT_PER_TRY = 50  # characters: a text of 100 kB has some 2,300 tries; ordinary text needs a tenth of that
LEAST_TRIES = 300
LEAST_LATER, MOST_LATER, TEXT_PER_LATER = 200, 700, 200  # beyond that, for the looks after the first: less the longer a text is
# What of a text is gone over in the time of a try, before anything is tried there:
CHARS_PER_LOOK, CHARS_PER_FORM, CHARS_PER_GLANCE = 150, 130, 1_000  # where it is looked at again, or in another form; far from any marker
CHARS_PER_PASS = 4_000  # by one pattern
CHARS_PER_TRY = 128  # a try that looks at more characters than that counts as several
GLANCE = 1 / 3  # of a try: a place that is ruled out after a few characters, or by its name
GLANCE_AT_NAME = 1 / 2  # by a name that is to be told first
GLANCE_AGAIN, TRY_AGAIN = 1 / 4, 3 / 4  # where the name is known from before
GLANCE_AT_KNOWN = 1 / 10  # at a run that came before
MARKERS_PER_TRY = 3  # of a text that has another form: in both it is asked what they uncover
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

    The looks at all forms of a text, and at what became of it, count together. Each after the first begins with `again`: it is paid for
    before it is taken, and has three quarters of what is left.
    """

    __slots__ = ("_allowed", "_most", "_per_char", "bound", "end", "kinds", "quoted", "spent", "verdicts")

    def __init__(self, chars: int, *, is_noisy: bool = False) -> None:
        """Take the length of the text; *is_noisy*: the work is for another form of it, too."""
        by_size = chars // TEXT_PER_TRY
        self._most = LEAST_TRIES + (by_size // 2 if is_noisy else by_size)
        later = max(LEAST_LATER, MOST_LATER - chars // TEXT_PER_LATER) + (0 if is_noisy else by_size // 2)
        self.spent, self.bound = 0.0, LEAST_TRIES + by_size + later
        self._allowed = self._most * 3 / 4  # the rest is kept for the looks after one that runs out
        self._per_char = 1 / CHARS_PER_PASS if is_noisy else 0.0
        self.end = chars
        self.verdicts: dict[Any, Any] = {}
        self.kinds: dict[str, str | None] = {}
        self.quoted: dict[tuple[str, str, bool], bool] = {}

    def again(self, chars: int, near: int, more: float = 0, chars_per_try: int = CHARS_PER_LOOK) -> int:
        """Begin to look at another form of the text, or at what became of it; return how many of its *chars* there is work for.

        Args:
            near: How many of them are looked at closely.
            more: The tries that it takes besides.
            chars_per_try: What is looked at closely in the time of a try.
        """
        self._most = self.bound
        for_all = chars / CHARS_PER_GLANCE + near / chars_per_try + more
        paid = min(for_all, (self._most - self.spent) * 3 / 4)
        self.spent += paid
        self._allowed = self.spent + (self._most - self.spent) * 3 / 4
        self.end = chars if paid == for_all else int(chars * paid / for_all)
        return self.end

    def spend(self, position: int, tries: float = 1) -> None:
        """Count *tries* at *position* of the text."""
        if position >= self.end:
            raise OutOfWork(position)
        self.spent += tries
        if self.spent > self._allowed:
            raise OutOfWork(position)

    def pass_over(self, chars: int) -> None:
        """Count that a pattern goes over so many characters of a text that has another form: there it will do so again."""
        self.spent += chars * self._per_char

    def cut(self, position: int) -> None:
        """End the text at *position*, where a look ran out, for those that come after it."""
        if position >= self.end:
            return
        left = self._most - self.spent
        self.end = position if left >= _LEAST_LEFT else 0
        self._allowed = self.spent + left / 2


class Inside(Work):
    """The work on a text that was unwrapped: all of it counts at *position*, where its wrapping begins."""

    __slots__ = ("_position", "_work")

    def __init__(self, work: Work, position: int) -> None:
        self._work, self._position = work, position
        self.verdicts, self.kinds, self.quoted = work.verdicts, work.kinds, work.quoted

    def pass_over(self, chars: int) -> None:
        """Count nothing: what is wrapped is short."""

    def spend(self, position: int, tries: float = 1) -> None:
        """Count *tries* at the wrapping."""
        self._work.spend(self._position, tries)
