"""How much looking at a text may cost: what makes redaction linear, whatever the text."""

CHARS_PER_TRY = 30  # a text of 100 kB has some 3,600 tries; ordinary text needs a tenth of that
LEAST_TRIES = 300


class OutOfWork(Exception):
    """The text has more places that could be a secret than the bound lets us look at; from `position` on nothing was judged."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Work:
    """Counts tries: one for a place that is looked at, more where the look goes far. Raises OutOfWork beyond the bound."""

    __slots__ = ("bound", "spent")

    def __init__(self, chars: int) -> None:
        self.spent, self.bound = 0, LEAST_TRIES + chars // CHARS_PER_TRY

    def spend(self, position: int, tries: int = 1) -> None:
        """Count *tries* at *position* of the text."""
        self.spent += tries
        if self.spent > self.bound:
            raise OutOfWork(position)
