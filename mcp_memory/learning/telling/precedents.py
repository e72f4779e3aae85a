"""What earlier attempts at this very task did that tells how they ended: what worked, and what need not be tried again. Pure.

A change of a file is told of a task that is as good as the same; an answer or the values of calls only of one whose words are, or all of
whose ids the run that asks has met, for the next customer's booking is another one.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from mcp_memory.domain.answers import Precedent
from mcp_memory.learning.reading.change_lines import MORE, without_line_numbers
from mcp_memory.learning.reading.edits import GAP
from mcp_memory.learning.telling.like_answers import NEGATIONS, are_alike, is_same_answer
from mcp_memory.learning.telling.told_attempts import MAX_READ, Showable, ToldAttempt
from mcp_memory.phrases import points as phrases

MAX_TOLD, MAX_ANSWERS = 2, 4  # precedents of one outcome; wrong answers, each of which is one more not to give
SAME_DEED = 0.75  # of their words, from which two deeds are the same
_WORD = re.compile(r"\w+")


def precedents(
    task: str,
    attempts: Sequence[ToldAttempt],
    showable: Showable = lambda _id, _index: True,
    met: frozenset[str] = frozenset(),
    elsewhere: Collection[str] = (),
) -> tuple[Precedent, ...]:
    """Return what attempts at *task* did, those that worked first; what both kinds did tells nothing.

    How many did so is said among all that ended that way, those included that did nothing that can be told. Attempts at tasks that are only
    like it come after those at it, and are counted apart.

    Args:
        task: The task asked about.
        attempts: At it, the best first.
        showable: Whether a step's arguments may be shown.
        met: The ids in what the run that asks has said so far: they are its own.
        elsewhere: Which of the attempts, by their ids, were at tasks that are only like it.
    """
    told = [_Told(attempt, deeds) for attempt in attempts if (deeds := attempt.deeds(task, met, showable))]
    worked = [t for t in told if t.attempt.won]
    found: list[Precedent] = []
    for won in (True, False):
        rows, known = list[Precedent](), [] if won else worked
        answered = not won and all(t.attempt.answered for t in told if not t.attempt.won)
        most = MAX_ANSWERS if answered else MAX_TOLD
        shared = _shared([t for t in told if t.attempt.won is won], [t for t in told if t.attempt.won is not won])
        for away in (False, True):
            ended_so = [a for a in attempts if a.won is won and (a.episode_id in elsewhere) is away]
            same = [t for t in told if t.attempt.won is won and (t.attempt.episode_id in elsewhere) is away and not t.is_among(known)]
            seen = [replace(t, first=t.attempt.deeds(task, met, showable, shared)) if shared and t.attempt.changes else t for t in same]
            rows += _grouped(seen, ended_so, sum(a.is_case(task, met) for a in ended_so), most)
            known = [*known, *same]
        found += rows[:most]
    return tuple(found)


def _shared(told: Sequence["_Told"], others: Sequence["_Told"]) -> frozenset[str]:
    """Return the lines that attempts which ended otherwise left; not of one that left the very same change, which decides nothing."""
    return frozenset[str]().union(*(one.attempt.left.lines for one in others if not one.is_among(told)))


@dataclass(frozen=True, slots=True)
class _Told:
    attempt: ToldAttempt
    deeds: tuple[str, ...]
    first: tuple[str, ...] = ()  # the same with what others left, too, last

    @property
    def said(self) -> tuple[str, ...]:
        """The deeds as they are told."""
        return self.first or self.deeds

    def is_among(self, others: Sequence["_Told"]) -> bool:
        """Return whether one of the others did the same: left the same change, else did what reads the same."""
        return any(self.is_same(other) for other in others)

    def is_same(self, other: "_Told") -> bool:
        """Return whether another attempt left the same change, else did what reads the same as a whole."""
        if self.attempt.changes and other.attempt.changes:
            is_whole = not any(GAP in deed or MORE in deed for deed in self.deeds)
            reads_alike = is_whole and [*map(_plain, self.deeds)] == [*map(_plain, other.deeds)]
            return reads_alike or self.attempt.left.made.is_same(other.attempt.left.made)
        return self.deeds == other.deeds


def _grouped(told: Sequence[_Told], ended_so: Sequence[ToldAttempt], of_this_case: int, most: int) -> Iterator[Precedent]:
    """Yield at most so many deeds, partial successes and the commonest first; what was the same counts together, among all that *ended so*.

    Acts, which are of one case, are counted among those *of this case*.
    """
    groups: list[list[_Told]] = []
    for one in sorted(told, key=lambda t: len("".join(t.deeds))):
        alike = next((group for group in groups if _is_of(one, group)), None)
        if alike is None:
            groups.append([one])
        else:
            alike.append(one)
    ranked = sorted(groups, key=lambda alike: (not alike[0].attempt.partly, -len(alike)))
    seen, first = set[frozenset[str] | None](), list[list[_Told]]()
    for alike in ranked:
        kind = alike[0].attempt.kind
        first += [alike] if kind is None or kind not in seen else []
        seen.add(kind)
    for alike in first[:most]:
        same = _commonest(alike)
        came = next((t.attempt.came for t in same if t.attempt.came), "")
        among = len(ended_so) if same[0].attempt.changes else of_this_case
        parts = [one for one in alike if _is_part(one, same[0])]
        said = same[0].said
        nearly = len(alike) > len(same) and bool(same[0].attempt.answered or same[0].attempt.changes)
        if nearly:
            said = (*said[:-1], phrases.in_part(said[-1], len(parts)) if parts else phrases.nearly(said[-1]))
        times = len(alike if nearly else same) + sum(_did_more(one, same[0]) for one in told if one not in alike)
        counts = (times, among) if len(ended_so) < MAX_READ else (0, 0)
        partly = all(t.attempt.partly for t in same)
        yield Precedent(same[0].attempt.won, said, came, *counts, same[0].attempt.episode_id, partly=partly)


def _is_of(one: _Told, group: Sequence[_Told]) -> bool:
    """Return whether an attempt counts with a group: as its first, as one of its answers, or as what all of it failed with a part of."""
    if _is_alike(one, group[0]) or any(_answered_alike(one, other) for other in group):
        return True
    return all(_is_part(other, one) or one.is_same(other) for other in group)


def _is_part(one: _Told, of: _Told) -> bool:
    """Return whether a failure left a part of what another one left, and nothing else."""
    mine, theirs = one.attempt.left.made, of.attempt.left.made
    is_told = bool(one.attempt.changes and of.attempt.changes) and not (one.attempt.won or of.attempt.won)
    return is_told and one.attempt.partly is of.attempt.partly and bool(mine.lines) and mine.lines < theirs.lines


def _did_more(one: _Told, other: _Told) -> bool:
    """Return whether an attempt did all that another one did, and more: it counts with that, too."""
    is_told = not any(t.attempt.changes or t.attempt.answered for t in (one, other))
    return is_told and one.attempt.partly is other.attempt.partly and set(other.deeds) < set(one.deeds)


def _is_alike(one: _Told, other: _Told) -> bool:
    """Return whether two attempts count as one: the same change (two that differ in a sign are two; of those that failed, two that put what
    they say in other words are one), or acts in nearly the same words.
    """
    if one.attempt.changes or other.attempt.changes:
        return one.is_same(other) or (not one.attempt.won and one.attempt.left.made.is_nearly(other.attempt.left.made))
    a, b = _words(one.deeds), _words(other.deeds)
    return _share_words(a, b) and a & NEGATIONS == b & NEGATIONS


def _answered_alike(one: _Told, other: _Told) -> bool:
    """Return whether two answers are of the same words but for little ones and endings."""
    if not one.attempt.answered or not other.attempt.answered:
        return False
    return are_alike(one.attempt.answered, other.attempt.answered)


def says_alike(a: str, b: str) -> bool:
    """Return whether two texts of what was done have nearly the same words: to read the second tells nothing."""
    return _share_words(_words((a,)), _words((b,)))


def _share_words(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) >= SAME_DEED * len(a | b)


def _plain(change: str) -> str:
    """Return a change without what does not make it another: line numbers, blanks."""
    return "".join(without_line_numbers(change).split())


def _commonest(alike: Sequence[_Told]) -> list[_Told]:
    """Return those of attempts that did nearly the same which did exactly the same: answers that differ in a name are not one.

    Where some left a part of what others left, these.
    """
    alike = [one for one in alike if not any(_is_part(one, other) for other in alike)]
    exactly: list[list[_Told]] = []
    for one in alike:
        same = next((group for group in exactly if _is_just(one, group[0])), None)
        if same is None:
            exactly.append([one])
        else:
            same.append(one)
    return max(exactly, key=len)


def _is_just(one: _Told, other: _Told) -> bool:
    if one.attempt.changes:
        return one.is_same(other)
    return is_same_answer(one.attempt.answered, other.attempt.answered)


@lru_cache(maxsize=256)
def _words(deeds: tuple[str, ...]) -> frozenset[str]:
    """Return the words of what was done; each attempt's are compared with those of several others."""
    return frozenset(_WORD.findall(" ".join(deeds).casefold()))
