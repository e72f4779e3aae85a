"""Shortening texts so that what was left out is said. Used by the hooks, so it imports nothing."""

_GO_ON_WORDS = 3  # a prompt of so few words ("yes, go on") continues the task before it


def goes_on(prompt: str) -> bool:
    """Return whether a prompt only says to go on with the task before it."""
    return len(prompt.split()) <= _GO_ON_WORDS


def clip(text: str, max_chars: int) -> str:
    """Return *text*, or its beginning and end with a mark that says how much was left out between them."""
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    if len(text) <= max_chars:
        return text
    mark = f" […{len(text) - max_chars:,}+ characters left out…] "
    if max_chars < 4 * len(mark):
        return text[: max_chars - 1] + "…"
    head = (max_chars - len(mark)) * 2 // 3
    return text[:head] + mark + text[len(text) - (max_chars - len(mark) - head) :]
