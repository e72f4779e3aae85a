"""Small pure helpers on text."""


def shorten(text: str, max_chars: int) -> str:
    """Return *text* within *max_chars*: whole, or its beginning with an ellipsis that says that it goes on.

    >>> shorten("remember everything", 10)
    'remember …'
    """
    if len(text) <= max_chars:
        return text
    return text[: max(0, max_chars - 1)] + "…"
