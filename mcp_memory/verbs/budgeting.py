"""What of an answer fits its token budget. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import msgspec

from mcp_memory.domain.answers import RecalledEpisode, RecalledFile, RecalledPattern
from mcp_memory.domain.text import shorten, token_estimate

ENVELOPE_TOKENS = 150  # the answer around its rows: two ids, outlook, cursor, note
SMALL_TASK_CHARS = 100  # of an episode for which the budget has little room: what a heading shows of it
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
    """Return the best of each kind within the budget: what episodes tell, then the first of them whole and the files, then all in turn.

    What is told is what is read, so whoever has a small budget is told the same: the episodes down to the last that tells its points are
    taken without what says the same at length, and made whole as far as there is room. The first episode is always there, small if need
    be. A kind ends with its first row that does not fit.
    """
    if episodes:
        episodes = (_small_enough(episodes[0], budget_tokens), *episodes[1:])
    telling = _telling(episodes, budget_tokens)
    kept: dict[int, Row] = dict(enumerate(brief for brief, _ in telling))  # by the place of each row among all
    costs = dict(enumerate(cost for _, cost in telling))
    used = ENVELOPE_TOKENS + sum(costs.values())
    ended: set[type] = set()
    for place, row in _in_turn(episodes, files, patterns):
        there = costs.get(place, 0)
        if type(row) not in ended and used - there + (cost := estimate_tokens(row)) <= budget_tokens:
            kept[place] = row
            used += cost - there
        elif not there:
            ended.add(type(row))
    return Fitted(
        tuple(row for row in kept.values() if isinstance(row, RecalledEpisode)),
        tuple(row for row in kept.values() if isinstance(row, RecalledFile)),
        tuple(row for row in kept.values() if isinstance(row, RecalledPattern)),
        used,
        bool(ended),
    )


def _telling(episodes: Sequence[RecalledEpisode], budget_tokens: int) -> list[tuple[RecalledEpisode, int]]:
    """Return the episodes down to the last that tells something, as far as they fit, briefly, each with its cost; the first one anyway."""
    used, found, last = ENVELOPE_TOKENS, list[tuple[RecalledEpisode, int]](), 1
    for episode in episodes:
        brief = _brief(episode)
        forms = (brief, replace(brief, points=episode.points[:1])) if episode.points else (brief,)
        costed = ((form, estimate_tokens(form)) for form in forms)
        fitting = next((one for one in costed if used + one[1] <= budget_tokens), None)
        if fitting is None:
            if found:
                break
            fitting = brief, estimate_tokens(brief)
        found.append(fitting)
        used += fitting[1]
        last = len(found) if episode.points else last
    return found[:last]


def _brief(row: RecalledEpisode) -> RecalledEpisode:
    """Return an episode with what it tells and little more: a correction is the first of its points, too."""
    return replace(row, task=shorten(" ".join(row.task.split()), SMALL_TASK_CHARS), summary="", key_steps=(), lessons=())


def _in_turn(
    episodes: Sequence[RecalledEpisode], files: Sequence[RecalledFile], patterns: Sequence[RecalledPattern]
) -> Iterator[tuple[int, Row]]:
    """Yield every row with its place among all, episodes before files before patterns."""
    rows: list[tuple[int, Row]] = list(enumerate((*episodes, *files, *patterns)))
    first, others, rest = rows[:1], rows[1 : len(episodes)], rows[len(episodes) :]
    yield from first if episodes else ()
    yield from rest[: len(files)]
    for pair in zip_longest(rest[len(files) :], others):
        yield from (row for row in pair if row is not None)


def _small_enough(first: RecalledEpisode, budget_tokens: int) -> RecalledEpisode:
    """Return the first episode with as much of it as the budget has room for, in the order in which an agent can spare it."""
    for small in _ever_smaller(first):
        if ENVELOPE_TOKENS + estimate_tokens(small) <= budget_tokens:
            return small
    return small


def _ever_smaller(first: RecalledEpisode) -> Iterator[RecalledEpisode]:
    yield first
    yield (small := replace(_brief(first), summary=first.summary, lessons=first.lessons[:1]))
    yield (small := replace(small, lessons=()))
    if small.points:
        yield replace(small, points=small.points[:1])
        yield replace(small, points=())


def estimate_tokens(row: Row) -> int:
    """Return about how many tokens a row costs as compact JSON; rather too many than too few."""
    return token_estimate(msgspec.json.encode(row))
