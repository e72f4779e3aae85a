"""Attempts at a task as they are told, each read off its episode once: what it left, its last acts, its answer, what came of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mcp_memory.domain import facts
from mcp_memory.domain.bounded_map import BoundedMap
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.step_roles import Role, role_of
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.measured import measured
from mcp_memory.learning.reading.signatures import telling_line
from mcp_memory.learning.telling.acts import MAX_CALLS, acts_but_tests, told_as_call
from mcp_memory.learning.telling.changes_told import NOTHING_SHARED, Left
from mcp_memory.learning.telling.deeds import MAX_ANSWER_CHARS, answer
from mcp_memory.learning.telling.endings import last_run, tests_failed
from mcp_memory.learning.telling.left_nothing import LeftNothing
from mcp_memory.learning.telling.same_case import ids_of_call, is_same_case
from mcp_memory.learning.telling.written import wrote
from mcp_memory.phrases import points as phrases
from mcp_memory.views.experience import Experience

MAX_READ = 12  # attempts of one outcome that are looked at, the best or the latest; where there are more, nothing is counted
MAX_KNOWN = 5_000  # attempts kept, some 3 KB each
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
            "" if won else came_of(episode) or last_run(episode, left),
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
