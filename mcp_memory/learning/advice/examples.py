"""Arguments of an earlier step, short enough to be shown beside advice. Pure."""

from collections.abc import Mapping
from itertools import islice

from mcp_memory.domain.episode import Episode, Json
from mcp_memory.domain.text import shorten

MAX_ITEMS = 10  # of a list or an object


def arguments_of(episode: Episode | None, index: int, max_chars: int) -> dict[str, Json] | None:
    """Return the arguments of a step, each text in them within *max_chars*; None when there are none.

    Args:
        episode: With its steps, or None: it is gone meanwhile.
        index: Which step.
        max_chars: Of one text; what is longer ends with an ellipsis.
    """
    if episode is None or index >= len(episode.steps):
        return None
    return {key: _short(value, max_chars) for key, value in episode.steps[index].arguments.items()} or None


def _short(value: Json, max_chars: int) -> Json:
    if isinstance(value, str):
        return shorten(value, max_chars)
    if isinstance(value, Mapping):
        return {key: _short(item, max_chars) for key, item in islice(value.items(), MAX_ITEMS)}
    if isinstance(value, list | tuple):
        return [_short(item, max_chars) for item in value[:MAX_ITEMS]]
    return value
