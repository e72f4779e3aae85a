"""What is wrong with a value of a request, said so that whoever sent it can mend it."""

from typing import Any, Self

from mcp_memory.errors import InvalidArguments, InvalidInput

_SHOWN_CHARS = 60  # of a wrong value, in a message
_TYPE_NAMES = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}


class Problem(InvalidInput):
    """What is wrong with a value: `head`, the field's path in backticks and `tail` make one sentence."""

    def __init__(self, tail: str, *, path: str = "", head: str = "", hint: str | None = None) -> None:
        super().__init__(f"{head}`{path}`{tail}", hint=hint)
        self.tail, self.path, self.head, self.given_hint = tail, path, head, hint

    def under(self, place: str) -> Self:
        """Return the problem as seen from the record around it."""
        path = place + (self.path if self.path.startswith("[") or not self.path else f".{self.path}")
        return type(self)(self.tail, path=path, head=self.head, hint=self.given_hint)

    def hinting(self, hint: str) -> Self:
        """Return the problem with another hint."""
        return type(self)(self.tail, path=self.path, head=self.head, hint=hint)


class ShapeProblem(Problem, InvalidArguments):
    """A wrong name or type, not a wrong value: the caller is shown which arguments there are."""


def ill_typed(wanted: str, value: Any) -> Problem:
    """Return the problem of a value of another type than *wanted*."""
    return ShapeProblem(f" must be {wanted}, not {_TYPE_NAMES.get(type(value), type(value).__name__)}")


def shown(value: Any) -> str:
    """Return a wrong value as a message quotes it."""
    text = str(value)
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")


def shown_number(number: int | float) -> str:
    """Return a number outside its bounds as a message quotes it: 400 digits help nobody."""
    return str(number) if abs(number) < 10**18 else "a number far beyond"
