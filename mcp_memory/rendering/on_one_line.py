"""Stored text as a line, harmless to look at. Pure."""

import re

from mcp_memory.rendering.neutralise import neutral

_BREAK = re.compile(r"[^\S ]+")
_MAX_LINE_CHARS = 600


def flat(text: str) -> str:
    """Return stored text on one line, harmless to look at; the same object where it is so already."""
    if text.isascii() and text.isprintable() and "  " not in text:  # most texts; nothing printable in ASCII but the blank is white
        return text.strip()
    return " ".join(neutral(text).split())


def quoted_line(text: str) -> str:
    """Return stored text on one line with its blanks as they are, for what it quotes may be a file, where two blanks are not one.

    >>> quoted_line("wrote maze.txt: # #S# ⏎ #   #\\n")
    'wrote maze.txt: # #S# ⏎ #   #'
    """
    return _BREAK.sub(" ", neutral(text)).strip()


def cut(text: str, max_chars: int) -> str:
    """Return stored text on one line of at most *max_chars*, with an ellipsis where it goes on."""
    line = flat(text)
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def cut_quoted(text: str, max_chars: int) -> str:
    """Return stored text as `quoted_line` does, of at most *max_chars*, with an ellipsis where it goes on."""
    line = quoted_line(text)
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def one_line(text: str) -> str:
    """Return *text* without line breaks and control characters, of bounded length."""
    return cut(text, _MAX_LINE_CHARS)
