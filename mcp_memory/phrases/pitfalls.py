"""What goes wrong on the way to a task, a sentence each. Pure."""

from mcp_memory.domain.pattern import Pattern
from mcp_memory.domain.text import shorten
from mcp_memory.phrases.patterns import is_one, quoted

MAX_ERROR_CHARS = 100


def corrected(pattern: Pattern) -> str:
    """Return what is right instead of a pattern."""
    return f"Corrected: {pattern.corrected_by} (instead of: {pattern.description}; {pattern.id})."


def answer(pattern: Pattern) -> str:
    """Return what answers an error, and how often it did."""
    told = pattern.description
    return f"{told[:1].upper()}{told[1:]}: worked in {pattern.successes} of {pattern.successes + pattern.failures} ({pattern.id})."


def choice(pattern: Pattern) -> str:
    """Return a choice after which attempts failed more often than is usual."""
    after, tried = " → ".join(pattern.content["after"]), pattern.successes + pattern.failures
    return f"After {after}, {pattern.content['choose']} mostly led to failure: {pattern.failures} of {tried} ({pattern.id})."


def habit(key: str, failures: str, successes: str) -> str:
    """Return what failed attempts did and successful ones did not, with the share of either.

    >>> habit("cancel", "7 of 9", "2 of the 12 nearest")
    '7 of 9 failed attempts used cancel; 2 of the 12 nearest successful ones did.'
    """
    return f"{failures} failed attempts used {key}; {successes} successful ones did."


def fatal_error(message: str, error: str, failures: str, successes: str) -> str:
    """Return an error that failed attempts met and successful ones did not; *message* is one of those *error* stands for.

    >>> fatal_error("KeyError: 'a'", "KeyError: <q>", "2 of 2", "0 of 3")
    "An error like “KeyError: 'a'” was met by 2 of 2 failed attempts, 0 of 3 successful ones."
    """
    told = quoted(shorten(message, MAX_ERROR_CHARS), is_one=is_one(message, error))
    return f"{told[:1].upper()}{told[1:]} was met by {failures} failed attempts, {successes} successful ones."
