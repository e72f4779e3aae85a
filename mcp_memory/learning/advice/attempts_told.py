"""What attempts at a task tell on every door: what they did that tells how they ended, else what a recall would tell of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode
from mcp_memory.domain.inference import without_inference
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.history.gone_tools import GoneTools
from mcp_memory.learning.telling.acts import acted, own_names, runs_own, told_as_call
from mcp_memory.learning.telling.changes_told import Left
from mcp_memory.learning.telling.deeds import answer
from mcp_memory.learning.telling.examples import text_of_run
from mcp_memory.learning.telling.failed_alike import NOT_THE_CASE, failed_alike
from mcp_memory.learning.telling.fatal_calls import fatal_steps
from mcp_memory.learning.telling.left_nothing import refused_as, told_alike
from mcp_memory.learning.telling.like_answers import is_same_answer
from mcp_memory.learning.telling.made_already import has_made
from mcp_memory.learning.telling.points import Known, points_of
from mcp_memory.learning.telling.precedents import MAX_TOLD, precedents, says_alike
from mcp_memory.learning.telling.same_case import are_the_task, is_same_case, met_in
from mcp_memory.learning.telling.same_things import about_the_same
from mcp_memory.learning.telling.successes_told import changed_nothing_here, told_by_names
from mcp_memory.learning.telling.told_attempts import MAX_READ as MAX_COUNTED
from mcp_memory.learning.telling.told_attempts import ReadEpisodes, ToldAttempt, ToldAttempts, came_of, is_by_script
from mcp_memory.learning.telling.unlike_this_run import lacked, made_by, unlike
from mcp_memory.learning.telling.written import wrote
from mcp_memory.phrases import precedents as phrases
from mcp_memory.ports import Neighbours
from mcp_memory.views.experience import Experience

MAX_READ = 4  # attempts of one outcome that are read
MAX_POINTS = 2  # of one attempt
FatalSteps = Mapping[str, Sequence[tuple[int, int]]]
NO_STEPS: FatalSteps = {}


def _together(rows: Sequence[Precedent], about: Sequence[Precedent]) -> tuple[tuple[Precedent, ...], list[Precedent]]:
    """Return both with those of the first that say the same as one of the others counted as one about the same thing."""
    same = {(row.worked, row.did): row for row in about}
    known = {(row.worked, row.did) for row in rows if row.alike >= 1.0}
    of = {row.worked: row.attempts for row in about if row.attempts}
    joined = list[Precedent]()
    for row in rows:
        other = same.get((row.worked, row.did)) if row.alike >= 1.0 else None
        if other is not None and row.times and other.times:
            row = replace(row, times=row.times + other.times, attempts=row.attempts + of.get(row.worked, 0), about=other.about)
        joined.append(row)
    return tuple(joined), [row for row in about if (row.worked, row.did) not in known]


def _did_all(read: ReadEpisodes, episode_id: str, worked: Sequence[frozenset[str]]) -> bool:
    """Return whether an attempt made all the calls of one that worked: then something else decided."""
    made = {told_as_call(step) for episode in read([episode_id]) if episode for step in episode.steps if not step.failed}
    return any(did <= made for did in worked)


class Attempts:
    """The attempts at a task as whoever asks about it is told of them. Each is read once, however much is asked."""

    def __init__(
        self,
        x: Experience,
        read: ReadEpisodes,
        task: str,
        near: Neighbours,
        endorser: Endorser,
        project: str,
        run: Episode | None = None,
    ) -> None:
        """Take what is asked.

        Args:
            x: The experience.
            read: Reads episodes.
            task: The task asked about.
            near: Episodes and how alike their tasks are; below `SAME_TASK` they are left out.
            endorser: Says what may be shown.
            project: In which tools may work no longer.
            run: The run that asks: what it has said so far is its own, and what it changed is marked where they did it, too.
        """
        self._x, self._read, self._task, self._endorser, self._project, self._run = x, read, task, endorser, project, run
        self._near = near
        self._attempts = x.derived(ToldAttempts)
        self._said = text_of_run(run) if run else task
        self._met = met_in(self._said) if run else frozenset[str]()

    def told(self) -> tuple[Precedent, ...]:
        """Return what attempts at the task did that tells how they ended, what worked first.

        Where nothing of what worked, or of what did not, can be told so, it is what a recall tells of it; where no success of the very case
        can be told, it is what successes at the task called, by the names of the arguments. Up to eight episodes are read for that, and as
        many of those that were about the very things which a run has called for, in whatever words their tasks were put.
        """
        run, others = self._run, self._about_the_same
        rows = self._rows(self._at_the_task, dict(self._near))
        if run and run.outcome is None and any(row.worked for row in rows) and has_made(run):
            rows = tuple(row for row in rows if not row.worked or not any(e and is_by_script(e) for e in self._read([row.episode_id])))
        if not others:
            return rows
        ids = {one.episode_id: min(one.ids, key=len) for one in others}
        about = [replace(row, about=ids[row.episode_id]) for row in self._rows(others, dict.fromkeys(ids, 1.0))]
        rows, about = _together(rows, about)
        worked = [frozenset(row.did) for row in (*rows, *about) if row.worked and row.alike >= 1.0]
        about = [row for row in about if row.worked or not _did_all(self._read, row.episode_id, worked)]
        told_so = {row.worked for row in about}
        rows = tuple(row for row in rows if row.alike >= 1.0 or row.worked not in told_so)  # nothing of other cases beside what is of this
        return tuple(row for won in (True, False) for row in [row for row in (*rows, *about) if row.worked is won][:MAX_TOLD])

    def here(self) -> list[ToldAttempt]:
        """Return the attempts that were about the very things which the run has met."""
        return [*filter(self._is_here, self._at_the_task), *self._about_the_same]

    def _is_here(self, attempt: ToldAttempt) -> bool:
        """Return whether an attempt was about the very things that the run has met."""
        return bool(self._met) and attempt.is_case(self._task, self._met)

    @cached_property
    def _at_the_task(self) -> list[ToldAttempt]:
        """The attempts at the task, first those about the very things that the run has met."""
        return sorted(self._attempts.read(self._attempts.at(self._near), self._read), key=lambda one: not self._is_here(one))

    @cached_property
    def _about_the_same(self) -> list[ToldAttempt]:
        """The attempts at tasks in other words that called for what the run has called for, and for nothing that it has not met."""
        if not self._run or not self._met:
            return []
        known = {key for key, similarity in self._near if similarity >= SAME_TASK}
        found = [key for key in about_the_same(self._x, self._run, self._project) if key not in known]
        return [one for one in self._attempts.read(found, self._read) if one.ids and one.ids <= self._met]

    def _rows(self, attempts: Sequence[ToldAttempt], alike: Mapping[str, float]) -> tuple[Precedent, ...]:
        """Return what these attempts did, what worked first; *alike* is how alike their tasks are to this one."""
        task, run = self._task, self._run
        others = [a for a in attempts if not a.is_case(task, self._met)]
        variants = self._variants(attempts)
        away = {a.episode_id for a in others if alike[a.episode_id] < THE_TASK or a.episode_id in variants}
        known = precedents(task, attempts, self._endorser.showable, self._met, away)
        known = tuple(
            replace(row, alike=min(NOT_THE_CASE, round(alike[row.episode_id], 2))) if row.episode_id in away else row for row in known
        )
        if run and known and (mine := Left.of(run).made).lines:
            made = {attempt.episode_id: attempt.left.made for attempt in attempts}
            known = tuple(replace(row, made=made[row.episode_id].is_same(mine)) for row in known)
        if run and known and run.steps and (said := answer(run.steps[-1])):
            gave = {attempt.episode_id for attempt in attempts if attempt.answered and is_same_answer(attempt.answered, said)}
            known = tuple(replace(row, made=row.made or row.episode_id in gave) for row in known)
        missing = {attempt.won for attempt in attempts} - {row.worked for row in known}
        if not self._endorser.is_alone:  # among several agents only what is known from others is shown
            return known
        idle = () if any(attempt.won for attempt in attempts) else _idle([a for a in attempts if a.episode_id not in away], run)
        return _sorted((*known, *(self._recalled(attempts, alike, known, missing, is_idle=bool(idle)) if missing else ())), idle)

    def _variants(self, attempts: Sequence[ToldAttempt]) -> set[str]:
        """Return which of the attempts were at a variant of the task, where others were at it word by word."""
        are = are_the_task(self._task, [attempt.task for attempt in attempts])
        return {attempt.episode_id for attempt, is_one in zip(attempts, are, strict=True) if not is_one}

    def _recalled(
        self,
        attempts: Sequence[ToldAttempt],
        alike: Mapping[str, float],
        known: Sequence[Precedent],
        missing: Collection[bool],
        *,
        is_idle: bool,
    ) -> tuple[Precedent, ...]:
        """Return what a recall would tell of the attempts that ended as nothing *known* did."""
        x, task = self._x, self._task
        first = [key for won in missing for key in [a.episode_id for a in attempts if a.won is won][:MAX_READ]]
        episodes = [episode for episode in self._read(first) if episode is not None]
        failures, successes = (sum(attempt.won is won for attempt in attempts) for won in (False, True))
        here = {attempt.episode_id for attempt in attempts if self._is_here(attempt)}
        endings = not is_idle and self._run is None and not any(row.worked for row in known)
        fatal = fatal_steps(x, list(alike.items()))
        variants = self._variants(attempts)
        lost = sum(not a.won and a.episode_id not in variants for a in attempts)
        more = told_as_recalled(task, episodes, known, fatal, lost, endings=endings, here=here, said=self._said, run=self._run)
        if not (more or known or is_idle) and set(missing) == {False} and len(episodes) == failures:  # all that failed were read
            more = failed_alike(task, [(episode, alike[episode.id]) for episode in episodes], self._run)
        if True in missing and not any(row.worked for row in more):
            more += changed_nothing_here([episode for episode in episodes if episode.success and episode.id in here])
        if True in missing and not any(row.worked for row in more):
            gone = x.derived(GoneTools).of(self._project, self._run.id if self._run else "")
            more += told_by_names(task, [(e, alike[e.id]) for e in episodes], successes if successes <= MAX_READ else 0, gone, self._run)
        return more


def _idle(attempts: Sequence[ToldAttempt], run: Episode | None) -> tuple[Precedent, ...]:
    """Return how those of the attempts ended that left nothing, of which none succeeded, as one: nothing where none did.

    To a run that has begun one alone that was refused nothing tells nothing.
    """
    idle = [(attempt, attempt.nothing) for attempt in attempts if attempt.nothing is not None]
    if not idle or (run is not None and len(idle) == 1 and not idle[0][1].refused):
        return ()
    first = idle[0][0]
    counts = (len(idle), len(attempts)) if len(attempts) < MAX_COUNTED else (0, 0)
    endings = [ending for _, ending in idle]
    made = run is not None and refused_as(run, endings)
    return (Precedent(False, (told_alike(endings),), first.came, *counts, first.episode_id, made=made),)


def _sorted(rows: Sequence[Precedent], idle: Sequence[Precedent]) -> tuple[Precedent, ...]:
    """Return what worked first, then, of what did not, that several left nothing where so many did nothing else alike."""
    lost = [row for row in rows if not row.worked]
    first = idle if idle and len(lost) > 0 and idle[0].times > max(row.times for row in lost) else ()
    return (*(row for row in rows if row.worked), *first, *lost, *(() if first else idle))


def told_as_recalled(
    task: str,
    attempts: Sequence[Episode],
    known: Sequence[Precedent] = (),
    fatal: FatalSteps = NO_STEPS,
    failures: int = 0,
    *,
    endings: bool = True,
    here: Collection[str] = (),
    said: str = "",
    run: Episode | None = None,
) -> tuple[Precedent, ...]:
    """Return what the first of the attempts at this very case tell, at most two of each outcome, those that worked first.

    How many did so is told where all that failed were read. Of one that succeeded only what its agent noted: it did something that
    cannot be told, and other steps of it are not what it took.

    Args:
        task: The task asked about.
        attempts: At it, with their steps, the best first.
        known: What attempts at it are known to have done: of a failure is said what it lacked of what worked.
        fatal: Steps that only failures have, as `fatal_steps` gives them.
        failures: How many attempts failed, among which these are counted.
        endings: Whether it is told how an attempt ended of which nothing else is: no news within a run that has begun.
        here: Attempts that, in other words, were about the very things that the run that asks has met.
        said: All that this run has said so far, whose values are its own.
        run: The run that asks, where one does.
    """
    same = [e for e in attempts if (e.id in here or is_same_case(task, e.task)) and (not e.success or _noted(e))]
    told = points_of([(e, 1.0) for e in same], said or task, known=Known(endings=endings, run=run))
    worked = [frozenset(row.did) for row in known if row.worked]
    needed = [deed for deed in next((row.did for row in known if row.worked), ()) if all(deed in other for other in worked)]
    asks = _Asks(said or task, needed, made_by(run))
    rows = (row for won in (True, False) for row in _of([e for e in same if e.success is won], told, asks, failures))
    by_id = {episode.id: episode for episode in same}
    rows = (_with_fatal(row, by_id[row.episode_id], fatal.get(row.episode_id, ()), failures) for row in rows)
    return tuple(row for row in rows if row.did)


def _with_fatal(row: Precedent, episode: Episode, fatal: Sequence[tuple[int, int]], failures: int) -> Precedent:
    """Return a precedent with the last call of it that failures alone made, where that can be told."""
    steps, own = episode.steps, own_names(episode) if fatal else []
    calls = [
        (told_as_call(steps[i]), times) for i, times in fatal if i < len(steps) and acted(steps, i) and not runs_own(steps[i], own)
    ]  # what only that run has, another cannot call
    told = [(call, times) for call, times in calls if not any(line.endswith(call) for line in row.did)][-1:]
    return replace(row, did=(*row.did, *(phrases.only_here(call, times, failures) for call, times in told)))


def _noted(episode: Episode) -> bool:
    return episode.outcome is not None and bool(without_inference(episode.outcome.summary) or episode.outcome.lessons)


@dataclass(frozen=True, slots=True)
class _Asks:
    """Beside what an attempt is told: the query, the calls of what worked, those of the run that asks."""

    query: str
    needed: Sequence[str]
    mine: frozenset[str]


def _of(attempts: Sequence[Episode], told: dict[str, tuple[str, ...]], asks: _Asks, failures: int) -> Iterator[Precedent]:
    shown = list[str]()
    for episode in [e for e in attempts if told[e.id]]:
        said, is_made = told[episode.id][:MAX_POINTS], False
        is_script = any(text in said for _, text in wrote(episode))  # of two that do the same one is told
        if len(shown) == MAX_TOLD or (is_script and any(says_alike(said[0], other) for other in shown)):
            continue
        shown.append(said[0])
        many = (0, 0)
        if not (episode.success or episode.partial) and len(attempts) == failures:
            missing = lacked(episode, asks.needed)
            many = (_as_many(said[0], [e for e in attempts if lacked(e, asks.needed) == missing], asks.query), failures)
        if not episode.success:
            said, is_made = unlike(episode, said, asks.query, asks.needed, asks.mine)
        came = "" if episode.success else came_of(episode)
        came = "" if any(came in line for line in said) else came
        yield Precedent(episode.success, said, came, *many, episode.id, partly=episode.partial, made=is_made)


def _as_many(line: str, attempts: Sequence[Episode], query: str) -> int:
    """Return of how many attempts a line is the first that is told, each by itself."""
    alone = (points_of([(episode, 1.0)], query)[episode.id] for episode in attempts)
    return max(1, sum(told[:1] == (line,) for told in alone))
