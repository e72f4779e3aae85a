"""How much looking at a text may cost: what makes redaction linear, whatever the text."""

TEXT_PER_TRY = 30  # characters: a text of 100 kB has some 3,600 tries; ordinary text needs a tenth of that
LEAST_TRIES = 300
CHARS_PER_TRY = 128  # a try that looks at more characters than that counts as several
GLANCES_PER_TRY = 3  # a place that is ruled out after a few characters, or by its name, costs less than a try


class OutOfWork(Exception):
    """The text has more places that could be a secret than the bound lets us look at; from `position` on nothing was judged."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Work:
    """Counts tries: one for a place that is looked at, more where the look goes far. Raises OutOfWork beyond the bound.

    `verdicts` are of what was judged already in this text: whether it is a secret, and how many tries that took.
    """

    __slots__ = ("_glances", "bound", "spent", "verdicts")

    def __init__(self, chars: int) -> None:
        self.spent, self.bound, self._glances = 0, LEAST_TRIES + chars // TEXT_PER_TRY, 0
        self.verdicts: dict[tuple[object, ...], tuple[bool, int]] = {}

    def spend(self, position: int, tries: int = 1) -> None:
        """Count *tries* at *position* of the text."""
        self.spent += tries
        if self.spent > self.bound:
            raise OutOfWork(position)

    def glance(self, position: int) -> None:
        """Count a place that was ruled out by its name."""
        self._glances += 1
        if self._glances % GLANCES_PER_TRY == 0:
            self.spend(position)
