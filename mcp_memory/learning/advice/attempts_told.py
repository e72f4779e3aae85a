"""What attempts at a task tell on every door: what they did that tells how they ended, else what a recall would tell of them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode, Step
from mcp_memory.domain.inference import without_inference
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.learning.advice.acts import acted, own_names, runs_own, told_as_call
from mcp_memory.learning.advice.changes_told import Left
from mcp_memory.learning.advice.deeds import answer, done, ended
from mcp_memory.learning.advice.endorsing import Endorser
from mcp_memory.learning.advice.examples import text_of_run
from mcp_memory.learning.advice.failed_alike import NOT_THE_CASE, failed_alike
from mcp_memory.learning.advice.fatal_calls import fatal_steps
from mcp_memory.learning.advice.left_nothing import told_alike
from mcp_memory.learning.advice.points import Known, Recalled, points_of
from mcp_memory.learning.advice.precedents import MAX_READ as MAX_COUNTED
from mcp_memory.learning.advice.precedents import MAX_TOLD, ReadEpisodes, ToldAttempt, ToldAttempts, came_of, precedents, says_alike
from mcp_memory.learning.advice.same_case import ids_in, is_same_case
from mcp_memory.learning.advice.written import wrote
from mcp_memory.learning.history.gone_tools import GoneTools
from mcp_memory.phrases import precedents as phrases
from mcp_memory.views.experience import Experience

MAX_READ = 4  # attempts of one outcome that are read
MAX_POINTS = 2  # of one attempt
FatalSteps = Mapping[str, Sequence[tuple[int, int]]]
NO_STEPS: FatalSteps = {}


def attempts_told(
    x: Experience,
    read: ReadEpisodes,
    task: str,
    near: Sequence[tuple[str, float]],
    endorser: Endorser,
    project: str,
    run: Episode | None = None,
) -> tuple[Precedent, ...]:
    """Return what attempts at *task* did that tells how they ended, what worked first.

    Where nothing of what worked, or of what did not, can be told so, it is what a recall tells of it; where no success of the very case
    can be told, it is what successes at the task called, by the names of the arguments. Up to eight episodes are read for that.

    Args:
        x: The experience.
        read: Reads episodes.
        task: The task asked about.
        near: Episodes and how alike their tasks are; below `SAME_TASK` they are left out.
        endorser: Says what may be shown.
        project: In which tools may work no longer.
        run: The run that asks: what it has said so far is its own, and what it changed is marked where they did it, too.
    """
    told, alike = x.derived(ToldAttempts), dict(near)
    attempts = told.read(told.at(near), read)
    if not attempts:
        return ()
    said = text_of_run(run) if run else task
    met, by_id = ids_in(said) if run else frozenset[str](), {attempt.episode_id: attempt for attempt in attempts}
    away = {a.episode_id for a in attempts if alike[a.episode_id] < THE_TASK and not a.is_case(task, met)}
    known = precedents(task, attempts, endorser.showable, met, away)
    known = tuple(replace(row, alike=round(alike[row.episode_id], 2)) if row.episode_id in away else row for row in known)
    if run and known and (mine := Left.of(run).made).lines:
        known = tuple(replace(row, made=by_id[row.episode_id].left.made.is_same(mine)) for row in known)
    missing = {attempt.won for attempt in attempts} - {row.worked for row in known}
    if not endorser.is_alone:  # among several agents only what is known from others is shown
        return known
    idle = () if any(attempt.won for attempt in attempts) else _idle([a for a in attempts if a.episode_id not in away], run)
    if not missing:
        return _sorted(known, idle)
    first = [key for won in missing for key in [a.episode_id for a in attempts if a.won is won][:MAX_READ]]
    episodes = [episode for episode in read(first) if episode is not None]
    failures = sum(not attempt.won for attempt in attempts)
    here = {attempt.episode_id for attempt in attempts if met and attempt.is_case(task, met)}
    endings = not idle and run is None and not any(row.worked for row in known)
    more = told_as_recalled(task, episodes, known, fatal_steps(x, near), failures, endings=endings, here=here, said=said)
    if not (more or known or idle) and missing == {False} and len(episodes) == failures:  # all that failed were read
        more = failed_alike(task, [(episode, alike[episode.id]) for episode in episodes])
    if True in missing and not any(row.worked for row in more):
        successes = sum(attempt.won for attempt in attempts)
        gone = x.derived(GoneTools).of(project)
        more += told_by_names(task, [(e, alike[e.id]) for e in episodes], successes if successes <= MAX_READ else 0, gone)
    return _sorted((*known, *more), idle)


def _idle(attempts: Sequence[ToldAttempt], run: Episode | None) -> tuple[Precedent, ...]:
    """Return how those of the attempts ended that left nothing, of which none succeeded, as one: nothing where none did.

    To a run that has begun one alone that was refused nothing tells nothing.
    """
    idle = [(attempt, attempt.nothing) for attempt in attempts if attempt.nothing is not None]
    if not idle or (run is not None and len(idle) == 1 and not idle[0][1].refused):
        return ()
    first = idle[0][0]
    counts = (len(idle), len(attempts)) if len(attempts) < MAX_COUNTED else (0, 0)
    return (Precedent(False, (told_alike([ending for _, ending in idle]),), first.came, *counts, first.episode_id),)


def _sorted(rows: Sequence[Precedent], idle: Sequence[Precedent]) -> tuple[Precedent, ...]:
    """Return what worked first, then, of what did not, that several left nothing where so many did nothing else alike."""
    lost = [row for row in rows if not row.worked]
    first = idle if idle and len(lost) > 0 and idle[0].times > max(row.times for row in lost) else ()
    return (*(row for row in rows if row.worked), *first, *lost, *(() if first else idle))


def not_yet_done(known: Sequence[Precedent], steps: Sequence[Step]) -> tuple[Precedent, ...]:
    """Return the precedents without those that worked and did no more than a run with these *steps* has: to do it twice is no advice."""
    if not any(row.worked for row in known):
        return tuple(known)
    made = {told_as_call(step) for step in steps if not step.failed}
    return tuple(row for row in known if not row.worked or not made.issuperset(row.did))


def told_by_names(task: str, attempts: Recalled, among: int, gone: Collection[str] = ()) -> tuple[Precedent, ...]:
    """Return what those of the attempts that succeeded at other cases of *task* called, the commonest first, each with how many did.

    Args:
        task: The task asked about.
        attempts: Episodes with their steps and how alike their tasks are.
        among: How many succeeded; 0 where there are more than were read, and nothing is counted.
        gone: Tools that work no longer.
    """
    groups: dict[str, list[tuple[Episode, float]]] = {}
    for episode, similarity in attempts:
        if episode.success and not is_same_case(task, episode.task) and not (episode.steps and answer(episode.steps[-1])):
            works = all(step.key not in gone for step in episode.steps)
            told = done(episode, SAME_TASK, task, gone) or (ended(episode, SAME_TASK) if works else ())  # not as of this case, by names
            for line in told:
                groups.setdefault(line, []).append((episode, similarity))
    ranked = sorted(groups.items(), key=lambda item: len(item[1]), reverse=True)[:MAX_TOLD]
    return tuple(
        Precedent(True, (line,), "", len(same) if among else 0, among, same[0][0].id, min(NOT_THE_CASE, round(max(s for _, s in same), 2)))
        for line, same in ranked
    )


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
    """
    same = [e for e in attempts if (e.id in here or is_same_case(task, e.task)) and (not e.success or _noted(e))]
    told = points_of([(e, 1.0) for e in same], said or task, known=Known(endings=endings))
    worked = [frozenset(row.did) for row in known if row.worked]
    needed = [deed for deed in next((row.did for row in known if row.worked), ()) if all(deed in other for other in worked)]
    rows = (row for won in (True, False) for row in _of([e for e in same if e.success is won], told, needed, failures))
    by_id = {episode.id: episode for episode in same}
    return tuple(_with_fatal(row, by_id[row.episode_id], fatal.get(row.episode_id, ()), failures) for row in rows)


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


def _of(attempts: Sequence[Episode], told: dict[str, tuple[str, ...]], needed: Sequence[str], failures: int) -> Iterator[Precedent]:
    shown = list[str]()
    for episode in [e for e in attempts if told[e.id]]:
        said = told[episode.id][:MAX_POINTS]
        is_script = any(text in said for _, text in wrote(episode))  # of two that do the same one is told
        if len(shown) == MAX_TOLD or (is_script and any(says_alike(said[0], other) for other in shown)):
            continue
        shown.append(said[0])
        if not episode.success and (lacked := _lacked(episode, needed)):
            said = (*said, phrases.lacked(lacked))
        came = "" if episode.success else came_of(episode)
        counts = (0, 0) if episode.success or episode.partial or len(attempts) != failures else (_as_many(said[0], attempts), failures)
        yield Precedent(
            episode.success, said, "" if any(came in line for line in said) else came, *counts, episode.id, partly=episode.partial
        )


def _as_many(line: str, attempts: Sequence[Episode]) -> int:
    """Return of how many attempts a line is the first that is told, each by itself."""
    alone = (points_of([(episode, 1.0)], episode.task)[episode.id] for episode in attempts)
    return max(1, sum(told[:1] == (line,) for told in alone))


def _lacked(episode: Episode, needed: Sequence[str]) -> list[str]:
    """Return the calls of what worked that a run never tried; none where none of them went well, for then it went another way."""
    tried, made = {told_as_call(step) for step in episode.steps}, {told_as_call(step) for step in episode.steps if not step.failed}
    return [call for call in needed if call not in tried] if not made.isdisjoint(needed) else []
