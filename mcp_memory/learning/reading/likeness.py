"""How alike two texts are, of long ones as far as they are read. Pure."""

from difflib import SequenceMatcher

MAX_CHARS = 500  # of a text: the time grows with the square of it, and an edited line may be a whole program without line ends


def likeness(a: str, b: str) -> float:
    """Return the share of the characters of two texts that stand in both in the same order (Ratcliff and Obershelp), by their beginnings.

    >>> likeness("return a", "return b"), likeness("x" * 9_000, "x" * 9_000 + "y")
    (0.875, 1.0)
    """
    return SequenceMatcher(None, a[:MAX_CHARS], b[:MAX_CHARS], autojunk=False).ratio()
