"""The hard cap on one answer: nothing is cut in silence, and every cut says how to get the rest."""

from typing import Any

from mcp_memory.domain.limits import MAX_RESULT_CHARS
from mcp_memory.rendering import render
from mcp_memory.server.outputs import Json

_TEXT_CHARS = (4000, 1500, 500, 150, 40)  # texts are cut to the first of these that makes the answer fit


def fits(text: str) -> bool:
    """Whether an answer's text is within the cap."""
    return len(text) <= MAX_RESULT_CHARS


def smaller_limit(limit: int, text: str) -> int:
    """Return how many rows to ask for instead of *limit*, whose answer was *text*."""
    return max(1, min(limit - 1, int(limit * 0.9 * MAX_RESULT_CHARS / len(text))))


def shortened(data: dict[str, Json]) -> dict[str, Json]:
    """Return an answer over the cap with its long texts cut, then its long lists, marked with `truncated` and `rest`."""
    note = {
        "truncated": True,
        "rest": "Texts and lists were cut to fit one answer; get_episode (with step_from, step_limit=1) shows an episode part by part.",
    }
    for max_chars in _TEXT_CHARS:
        cut = {**_with_short_texts(data, max_chars), **note}
        if fits(render.text_of(cut)):
            return cut
    for max_items in (50, 10, 3, 1):
        cut = {**_with_short_lists(cut, max_items), **note}
        if fits(render.text_of(cut)):
            return cut
    return {key: value for key, value in cut.items() if not isinstance(value, dict | list)} | note


def _with_short_texts(value: Any, max_chars: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= max_chars else f"{value[:max_chars]} … [+{len(value) - max_chars} characters]"
    if isinstance(value, dict):
        return {key: _with_short_texts(item, max_chars) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_short_texts(item, max_chars) for item in value]
    return value


def _with_short_lists(value: Any, max_items: int) -> Any:
    if isinstance(value, dict):
        return {key: _with_short_lists(item, max_items) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_short_lists(item, max_items) for item in value[:max_items]]
    return value
