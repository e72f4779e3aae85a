"""What of an answer fits its token budget. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import msgspec

from mcp_memory.domain.answers import RecalledEpisode, RecalledFile, RecalledPattern
from mcp_memory.domain.text import shorten, token_estimate

ENVELOPE_TOKENS = 150  # the answer around its rows: two ids, outlook, cursor, note
SMALL_TASK_CHARS = 80  # of the one episode that is shown although the budget is too small for it
Row = RecalledEpisode | RecalledFile | RecalledPattern


@dataclass(frozen=True, slots=True)
class Fitted:
    """The rows that fit, and what the whole answer costs."""

    episodes: tuple[RecalledEpisode, ...]
    files: tuple[RecalledFile, ...]
    patterns: tuple[RecalledPattern, ...]
    tokens: int
    truncated: bool  # rows of any kind did not fit


def fit(
    episodes: Sequence[RecalledEpisode], files: Sequence[RecalledFile], patterns: Sequence[RecalledPattern], budget_tokens: int
) -> Fitted:
    """Return the best of each kind within the budget: an episode and the files first, then patterns and episodes in turn.

    The first episode is always there, small if need be. A kind ends with its first row that does not fit.
    """
    if episodes:
        episodes = (_small_enough(episodes[0], budget_tokens), *episodes[1:])
    used = ENVELOPE_TOKENS
    kept: Counter[type] = Counter()
    ended: set[type] = set()
    for row in _in_turn(episodes, files, patterns):
        kind = type(row)
        cost = estimate_tokens(row)
        always = kind is RecalledEpisode and not kept[kind]
        if kind not in ended and (always or used + cost <= budget_tokens):
            kept[kind] += 1
            used += cost
        else:
            ended.add(kind)
    return Fitted(
        tuple(episodes[: kept[RecalledEpisode]]),
        tuple(files[: kept[RecalledFile]]),
        tuple(patterns[: kept[RecalledPattern]]),
        used,
        bool(ended),
    )


def _in_turn(episodes: Sequence[RecalledEpisode], files: Sequence[RecalledFile], patterns: Sequence[RecalledPattern]) -> Iterator[Row]:
    yield from episodes[:1]
    yield from files
    for pattern, episode in zip_longest(patterns, episodes[1:]):
        if pattern is not None:
            yield pattern
        if episode is not None:
            yield episode


def _small_enough(first: RecalledEpisode, budget_tokens: int) -> RecalledEpisode:
    """Return the first episode with as much of it as the budget has room for, in the order in which an agent can spare it."""
    for small in _ever_smaller(first):
        if ENVELOPE_TOKENS + estimate_tokens(small) <= budget_tokens:
            return small
    return small


def _ever_smaller(first: RecalledEpisode) -> Iterator[RecalledEpisode]:
    yield first
    yield (small := replace(first, task=shorten(first.task, SMALL_TASK_CHARS), key_steps=(), lessons=first.lessons[:1]))
    yield (small := replace(small, lessons=()))
    if small.points:
        yield replace(small, points=small.points[:1])
        yield replace(small, points=())


def estimate_tokens(row: Row) -> int:
    """Return about how many tokens a row costs as compact JSON; rather too many than too few."""
    return token_estimate(msgspec.json.encode(row))
