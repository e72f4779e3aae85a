"""Answers to errors gathered by the error they answer. Pure."""

from collections.abc import Iterable

from mcp_memory.domain.pattern import ANSWERS, Pattern

MIN_CONFIDENCE = 0.3  # of an answer that is told
MAX_ANSWERS = 2  # to one error


def answers_by_error(patterns: Iterable[Pattern]) -> dict[tuple[str, str], list[Pattern]]:
    """Return the answers worth telling by (failed tool key, error signature), in the order of *patterns*."""
    found: dict[tuple[str, str], list[Pattern]] = {}
    for p in patterns:
        if p.kind in ANSWERS and p.says_what and p.confidence >= MIN_CONFIDENCE:
            found.setdefault((str(p.content["tool"]), str(p.content["error"])), []).append(p)
    return found
