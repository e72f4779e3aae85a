"""What earlier attempts at this very task did that tells how they ended: what worked, and what need not be tried again. Pure.

A change of a file is told of a task that is as good as the same; an answer or the values of calls only of one whose words are, or all of
whose ids the run that asks has met, for the next customer's booking is another one.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.change_lines import MORE, without_line_numbers
from mcp_memory.learning.reading.edits import GAP
from mcp_memory.learning.reading.measured import measured
from mcp_memory.learning.reading.signatures import telling_line
from mcp_memory.learning.telling.acts import MAX_CALLS, acts_but_tests, told_as_call
from mcp_memory.learning.telling.changes_told import NOTHING_SHARED, Left
from mcp_memory.learning.telling.deeds import MAX_ANSWER_CHARS, answer
from mcp_memory.learning.telling.endings import tests_failed
from mcp_memory.learning.telling.left_nothing import LeftNothing
from mcp_memory.learning.telling.same_case import ids_of_call, is_same_case
from mcp_memory.learning.telling.written import wrote
from mcp_memory.phrases import points as phrases
from mcp_memory.views.experience import Experience

MAX_READ = 12  # attempts of one outcome that are looked at, the best or the latest; where there are more, nothing is counted
MAX_KNOWN = 5_000  # attempts kept, some 3 KB each
MAX_TOLD, MAX_ANSWERS = 2, 4  # precedents of one outcome; wrong answers, each of which is one more not to give
SAME_DEED = 0.75  # of their words, from which two deeds are the same
_WORD = re.compile(r"\w+")
_ARTICLES = frozenset(["a", "an", "the"])

ReadEpisodes = Callable[[Sequence[str]], list[Episode | None]]
Showable = Callable[[str, int], bool]  # whether the arguments of a step of an episode may be shown


class ReadOnce:
    """Reads each episode once, however often it is asked for: what one answer is made from."""

    def __init__(self, read: ReadEpisodes) -> None:
        self._read = read
        self._known: dict[str, Episode | None] = {}

    def __call__(self, ids: Sequence[str]) -> list[Episode | None]:
        if new := [key for key in dict.fromkeys(ids) if key not in self._known]:
            self._known.update(zip(new, self._read(new), strict=True))
        return [self._known[key] for key in ids]


@dataclass(frozen=True, slots=True)
class ToldAttempt:
    """What a completed episode did that tells how it ended: in few words, with the steps that did it."""

    episode_id: str
    task: str
    won: bool
    left: Left
    changes: tuple[tuple[int, str], ...]
    acts: tuple[tuple[int, str], ...]  # its answer, or where it worked its last calls: of one case alone
    came: str
    ids: frozenset[str] = frozenset()  # in what its acts were called with, or, where none went well, all its calls
    answered: str = ""
    partly: bool = False
    nothing: LeftNothing | None = None  # how it ended where it failed and left nothing
    is_script: bool = False  # all that is told of it is what it wrote itself

    @classmethod
    def of(cls, episode: Episode) -> "ToldAttempt":
        """Read it off an episode with its steps. Half a millisecond."""
        won = episode.success
        steps = episode.steps
        left, telling = Left.of(episode), _telling_acts(episode, won=won)
        calls = tuple((i, _told(steps[i])) for i in telling)
        is_script = won and not calls
        calls = calls or (wrote(episode) if won else ())
        acted = (
            telling or acts_but_tests(episode)[-MAX_CALLS:] or [i for i, step in enumerate(steps) if role_of(step.key) is not Role.PASSES]
        )
        ids = frozenset[str]().union(*(ids_of_call(steps[i].arguments) for i in acted))
        answered = next((said for i in telling if (said := answer(steps[i]))), "")
        return cls(
            episode.id,
            episode.task,
            won,
            left,
            _changes(left),
            calls,
            "" if won else came_of(episode),
            ids,
            answered,
            episode.partial,
            None if won or left.files else LeftNothing.of(episode),
            is_script and not left.files,
        )

    def is_case(self, task: str, met: frozenset[str]) -> bool:
        """Return whether it was at the very case of *task*, by its words or by its ids, all of which were *met*."""
        return is_same_case(task, self.task) or (bool(self.ids) and self.ids <= met)

    @property
    def kind(self) -> frozenset[str] | None:
        """What another attempt is alike by, of which no second one is told: scripts of its own, or the tests that are all it changed."""
        if self.left.is_beside:
            return frozenset(change.path for change in self.left.files)
        return frozenset() if self.is_script else None

    def deeds(self, task: str, met: frozenset[str], showable: Showable, shared: frozenset[str] = NOTHING_SHARED) -> tuple[str, ...]:
        """Return what it did that may be shown to somebody at *task* who *met* these ids; of changes what is *shared* comes last."""
        told = (_changes(self.left, shared) if shared and self.changes else self.changes) or (self.acts if self.is_case(task, met) else ())
        return tuple(dict.fromkeys(text for i, text in told if showable(self.episode_id, i)))


class ToldAttempts:
    """The attempts of an `Experience` as they are told, each read once for a task and an outcome, which may be edited and labelled."""

    def __init__(self, experience: Experience) -> None:
        self._x = experience
        self._known: BoundedMap[tuple[str, str, str], ToldAttempt] = BoundedMap(MAX_KNOWN)  # by episode, task and outcome

    def at(self, neighbours: Sequence[tuple[str, float]]) -> list[str]:
        """Return the attempts at the very task that *neighbours* are of: a few of each outcome, successes and the best first."""
        x = self._x
        rows = [row for key, similarity in neighbours if similarity >= SAME_TASK and (row := x.row(key)) is not None]
        ranked = sorted(rows, key=lambda row: (-x.trace(row).reward, -x.trace(row).ended_at_ms, row))
        kinds = ([row for row in ranked if bool(x.success[row]) is won][:MAX_READ] for won in (True, False))
        return [x.trace(row).id for rows in kinds for row in rows]

    def read(self, ids: Sequence[str], read_episodes: ReadEpisodes) -> list[ToldAttempt]:
        """Return these episodes as they are told; those that are gone are left out."""
        traces = [self._x.trace(row) for key in ids if (row := self._x.row(key)) is not None]
        keys = [(trace.id, trace.task, str(trace.outcome)) for trace in traces]
        new = [key for key in keys if self._known.get(key) is None]
        for key, episode in zip(new, read_episodes([episode_id for episode_id, _, _ in new]) if new else (), strict=True):
            if episode is not None:
                self._known.put(key, ToldAttempt.of(episode))
        return [attempt for key in keys if (attempt := self._known.get(key)) is not None]


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
            groups = _grouped(same, ended_so, sum(a.is_case(task, met) for a in ended_so), most)
            rows += [
                replace(row, did=one.attempt.deeds(task, met, showable, shared)) if shared and one.attempt.changes else row
                for row, one in groups
            ]
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


def _grouped(told: Sequence[_Told], ended_so: Sequence[ToldAttempt], of_this_case: int, most: int) -> Iterator[tuple[Precedent, _Told]]:
    """Yield at most so many deeds, partial successes and the commonest first; what was the same counts together, among all that *ended so*.

    Acts, which are of one case, are counted among those *of this case*. With each comes the attempt that it is told of.
    """
    groups: list[list[_Told]] = []
    for one in sorted(told, key=lambda t: len("".join(t.deeds))):
        alike = next((group for group in groups if _is_alike(one, group[0])), None)
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
        nearly = same[0].attempt.answered and len(alike) > len(same)
        deeds = (phrases.nearly(same[0].deeds[0]),) if nearly else same[0].deeds
        counts = (len(alike if nearly else same), among) if len(ended_so) < MAX_READ else (0, 0)
        partly = all(t.attempt.partly for t in same)
        yield Precedent(same[0].attempt.won, deeds, came, *counts, same[0].attempt.episode_id, partly=partly), same[0]


def _is_alike(one: _Told, other: _Told) -> bool:
    """Return whether two attempts count as one: the same change (two that differ in a sign are two), or acts in nearly the same words."""
    if one.attempt.changes or other.attempt.changes:
        return one.is_same(other)
    return _share_words(_words(one.deeds), _words(other.deeds))


def says_alike(a: str, b: str) -> bool:
    """Return whether two texts of what was done have nearly the same words: to read the second tells nothing."""
    return _share_words(_words([a]), _words([b]))


def _share_words(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) >= SAME_DEED * len(a | b)


def _plain(change: str) -> str:
    """Return a change without what does not make it another: line numbers, blanks."""
    return "".join(without_line_numbers(change).split())


def _commonest(alike: Sequence[_Told]) -> list[_Told]:
    """Return those of attempts that did nearly the same which did exactly the same: answers that differ in a name are not one."""
    exactly: dict[str, list[_Told]] = {}
    for one in alike:
        exactly.setdefault(_plain_answer(one.attempt.answered), []).append(one)
    return max(exactly.values(), key=len)


def _plain_answer(said: str) -> str:
    """Return an answer without what does not make it another: case, punctuation, articles.

    >>> _plain_answer("The Yours, Mine & Ours!") == _plain_answer("yours mine ours"), _plain_answer("1974") == _plain_answer("in 1974")
    (True, False)
    """
    return " ".join(word for word in _WORD.findall(said.casefold()) if word not in _ARTICLES)


def _words(deeds: Sequence[str]) -> frozenset[str]:
    return frozenset(_WORD.findall(" ".join(deeds).casefold()))


def _told(step: Step) -> str:
    """Return an answer as one, anything else as a call."""
    return phrases.found((), shorten(said, MAX_ANSWER_CHARS)) if (said := answer(step)) else told_as_call(step)


def _telling_acts(episode: Episode, *, won: bool) -> list[int]:
    """Return the step that gave an answer, else, where it worked, the last acts but tests."""
    steps = episode.steps
    answered = [i for i in range(len(steps) - 1, -1, -1) if answer(steps[i])][:1]
    return answered or (acts_but_tests(episode)[-MAX_CALLS:] if won else [])


def is_by_script(episode: Episode) -> bool:
    """Return whether all that is told of a success is what it wrote itself."""
    return episode.success and not _telling_acts(episode, won=True) and not Left.of(episode).files


def _changes(left: Left, shared: frozenset[str] = NOTHING_SHARED) -> tuple[tuple[int, str], ...]:
    return tuple((deed.step, phrases.changed(deed.text, is_beside=left.is_beside)) for deed in left.told(shared))


def came_of(episode: Episode) -> str:
    """Return what the attempt was told in the end, "" where nobody said."""
    for said in episode.reflection.improvements if episode.reflection else ():
        match said:
            case facts.Rejected() if said.answer:
                return said.answer
            case facts.TestsFailed():
                return tests_failed(episode, said)
    said = telling_line((episode.outcome.error if episode.outcome else "") or "")
    figure = None if said else measured(episode.task, episode.steps)
    return phrases.measured(figure.said, figure.on) if figure else said
