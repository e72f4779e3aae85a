"""What of an answer fits its token budget. Pure."""

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

    The first episode is always there, small if need be; one that tells its points may go on without its steps and lessons, which say the
    same at length. A kind ends with its first row that does not fit.
    """
    if episodes:
        episodes = (_small_enough(episodes[0], budget_tokens), *episodes[1:])
    used = ENVELOPE_TOKENS
    kept: list[Row] = []
    ended: set[type] = set()
    for row in _in_turn(episodes, files, patterns):
        kind = type(row)
        always = kind is RecalledEpisode and not any(isinstance(there, RecalledEpisode) for there in kept)
        priced = () if kind in ended else ((form, estimate_tokens(form)) for form in _forms(row))
        fitting = next(((form, cost) for form, cost in priced if always or used + cost <= budget_tokens), None)
        if fitting is None:
            ended.add(kind)
            continue
        kept.append(fitting[0])
        used += fitting[1]
    return Fitted(
        tuple(row for row in kept if isinstance(row, RecalledEpisode)),
        tuple(row for row in kept if isinstance(row, RecalledFile)),
        tuple(row for row in kept if isinstance(row, RecalledPattern)),
        used,
        bool(ended),
    )


def _forms(row: Row) -> Iterator[Row]:
    yield row
    if isinstance(row, RecalledEpisode) and row.points is not None:
        yield replace(row, key_steps=(), lessons=row.lessons[:1])  # a correction is the first


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
