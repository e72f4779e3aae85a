"""All attempts at one task beside the one that worked, and the tasks where there is something to see."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from mcp_memory.domain.episode import Episode, EpisodeState, Trace
from mcp_memory.domain.forks import Contrast, Fork, ForkedTask, KeptLesson, StepMark
from mcp_memory.domain.metadata_keys import LESSON_FOR_AGENTS
from mcp_memory.domain.nearness import SAME_TASK
from mcp_memory.domain.query import ANY_PROJECT, Filter, Query
from mcp_memory.domain.requests import CompareAttempts, ForkedTasks, MarkSteps
from mcp_memory.domain.text import shorten
from mcp_memory.errors import InvalidInput, NotFound
from mcp_memory.learning.reading.changes import change_of
from mcp_memory.learning.reading.run import message_of, run_of_episode
from mcp_memory.learning.reading.signatures import same_error, signature
from mcp_memory.learning.reports.contrasts import contrasts
from mcp_memory.learning.reports.forks import aligned
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.presenting import ROW_TASK_CHARS, episode_row
from mcp_memory.views.experience import Experience
from mcp_memory.views.fixes import Came, fixes_of

MAX_COMPARED = 50  # attempts that are counted
MAX_ROWS = 16  # attempts that are shown
CHANGE_CHARS = 200
_CAME = {Came.FIXED: "fixed", Came.GOT_ON: "got on", Came.GAVE_UP: "gave up"}
RECENT = 5_000  # episodes among which forked tasks are looked for
ENOUGH = 3  # tasks that forked in the same words; with fewer, those in other words are looked for
MAX_LOOKED_UP = 40  # failed attempts whose task is looked for in other words, the newest; some milliseconds each


class Forking:
    """The verbs compare_attempts, mark_steps and forked_tasks."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines
        self._known: tuple[int, tuple[ForkedTask, ...]] = (-1, ())  # under the version of the views it was made from
        self._otherwise: tuple[tuple[int, str], tuple[ForkedTask, ...]] = ((-1, ""), ())  # and of a project

    async def compare(self, asked: CompareAttempts) -> Fork:
        """Return the attempts at the task of an episode, aligned."""
        with self._e.metrics.timed("compare_attempts"):
            return await self._e.in_thread(lambda: self._compare(asked.episode_id))

    def _compare(self, episode_id: str) -> Fork:
        e = self._e
        found = e.store.get_episodes([episode_id])[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}")
        if found.state is not EpisodeState.COMPLETED:
            raise InvalidInput("an episode that is not completed has no place among attempts", hint="Complete it first.")
        alike, degraded = e.neighbours(Query(found.task, Filter(project=found.project)), MAX_COMPARED)
        near = {found.id: 1.0} | {key: similarity for key, similarity in alike if similarity >= SAME_TASK and key != found.id}
        with e.views.read() as v:
            traces = [t for t in v.experience.full_traces(list(near)) if t.project == found.project]
        good, bad = [t for t in traces if t.success], [t for t in traces if not t.success]
        reference = min(good or bad, key=lambda t: (-t.reward, len(t.step_keys), t.id), default=None)
        if reference is None:
            raise NotFound(f"episode {episode_id!r} is not in the index yet", hint="Ask again in a moment.")
        read = [x for x in e.store.get_episodes([reference.id, *_shown(traces, reference, found.id)]) if x is not None]
        others = [(x, episode_row(x), near[x.id]) for x in read[1:]]
        columns, rows, longer = aligned(read[0], others, episode_row(read[0]))
        return Fork(
            task=found.task,
            project=found.project,
            reference_id=reference.id,
            worked=bool(good),
            attempts=len(traces),
            successes=len(good),
            columns=columns,
            rows=rows,
            contrasts=tuple(_as_met(c, read) for c in contrasts(good, bad)),
            longer=longer,
            kept=_kept(x for x in e.store.get_episodes([t.id for t in traces], steps=False) if x is not None),
            history=tuple(sorted((t.ended_at_ms, t.success) for t in traces)),
            degraded=degraded,
        )

    async def marks(self, asked: MarkSteps) -> tuple[StepMark, ...]:
        """Return what is to be said of the steps of an episode, by their own order."""
        return await self._e.in_thread(lambda: self._marks(asked.episode_id))

    def _marks(self, episode_id: str) -> tuple[StepMark, ...]:
        found = self._e.store.get_episodes([episode_id])[0]
        if found is None:
            raise NotFound(f"there is no episode {episode_id!r}")
        steps, calls = found.steps, run_of_episode(found).calls
        marks = [StepMark(i, change=shorten(str(change), CHANGE_CHARS)) for i in range(len(steps)) if (change := change_of(steps, i))]
        marks += [StepMark(f.index, came=_CAME[f.came], by=f.by, worked_at=f.worked_at) for f in fixes_of(calls)]
        return tuple(sorted(marks, key=lambda mark: mark.index))

    async def forked(self, asked: ForkedTasks) -> tuple[ForkedTask, ...]:
        """Return the tasks with attempts of both kinds among the latest episodes."""
        project = asked.project or self._e.project

        def work() -> tuple[ForkedTask, ...]:
            self._e.current()
            with self._e.views.read() as v:
                if self._known[0] != v.version:
                    self._known = (v.version, _forked_tasks(v.experience))
                every, state = self._known[1], (v.version, project)
            found = tuple(t for t in every if project in (ANY_PROJECT, t.project))[: asked.limit]
            if len(found) >= ENOUGH:
                return found
            kept = self._otherwise
            if kept[0] != state:
                kept = self._otherwise = (state, self._worded_otherwise(project, found))
            return (found + kept[1])[: asked.limit]

        return await self._e.in_thread(work)

    def _worded_otherwise(self, project: str, known: Sequence[ForkedTask]) -> tuple[ForkedTask, ...]:
        """Return tasks that failed lately and that an attempt in other words managed."""
        said = {(t.project, t.task) for t in known}
        with self._e.views.read() as v:
            x = v.experience
            rows = (x.in_project(project) & ~x.success).nonzero()[0][: -MAX_LOOKED_UP - 1 : -1]
            failed = [x.trace(int(row)) for row in rows]
        found, seen = [], set[str]()
        for trace in failed:
            if trace.id in seen or (trace.project, shorten(" ".join(trace.task.split()), ROW_TASK_CHARS)) in said:
                continue
            alike, _ = self._e.neighbours(Query(trace.task, Filter(project=trace.project)), MAX_COMPARED)
            near = {trace.id, *(key for key, similarity in alike if similarity >= SAME_TASK)}
            seen |= near
            with self._e.views.read() as v:
                traces = [t for key in near if (row := v.experience.row(key)) is not None and (t := v.experience.trace(row))]
            if (made := _forked(trace.task, trace.project, traces)) is not None:
                found.append(made)
        return tuple(found)


def _kept(attempts: Iterable[Episode]) -> KeptLesson | None:
    """Return the latest lesson that went into an AGENTS.md; what others keep under that name is not one."""
    kept = []
    for attempt in attempts:
        said = attempt.metadata.get(LESSON_FOR_AGENTS)
        if isinstance(said, Mapping) and isinstance(said.get("at_ms"), int):
            kept.append(KeptLesson(attempt.id, str(said.get("text", "")), said["at_ms"]))
    return max(kept, key=lambda lesson: lesson.at_ms, default=None)


def _as_met(contrast: Contrast, read: Sequence[Episode]) -> Contrast:
    """Return a contrast of an error with a message that was met instead of its signature, where one was read."""
    if contrast.kind != "met":
        return contrast
    failed = [message_of(step) for episode in read for step in episode.steps if step.failed]
    known = [m for m in failed if signature(m) == contrast.what] or [m for m in failed if same_error(signature(m), contrast.what)]
    return replace(contrast, what=min(known, key=len, default=contrast.what))


def _shown(traces: Sequence[Trace], reference: Trace, asked: str) -> list[str]:
    """Return the attempts beside the reference that are shown: the asked one, then failed ones, then other successes, newest first."""
    rest = sorted((t for t in traces if t.id not in (reference.id, asked)), key=lambda t: -t.ended_at_ms)
    bad, good = [t.id for t in rest if not t.success], [t.id for t in rest if t.success]
    room = MAX_ROWS - 2
    few_good = good[: max(room // 3, room - len(bad))]
    chosen = [*bad[: room - len(few_good)], *few_good]
    return [*([asked] if asked != reference.id else []), *chosen]


def _forked_tasks(x: Experience) -> tuple[ForkedTask, ...]:
    by_task: dict[tuple[str, str], list[Trace]] = defaultdict(list)
    for trace in islice((x.trace(row) for row in range(len(x) - 1, -1, -1) if x.alive[row]), RECENT):
        by_task[trace.project, " ".join(trace.task.split())].append(trace)
    found = [made for (project, task), traces in by_task.items() if (made := _forked(task, project, traces)) is not None]
    return tuple(sorted(found, key=lambda t: (-min(t.successes, t.attempts - t.successes), -t.attempts, t.task)))


def _forked(task: str, project: str, traces: Sequence[Trace]) -> ForkedTask | None:
    """Return the attempts as a row of a list; None where all ended alike."""
    won = sum(t.success for t in traces)
    if not 0 < won < len(traces):
        return None
    newest = max(traces, key=lambda t: t.ended_at_ms)
    return ForkedTask(shorten(" ".join(task.split()), ROW_TASK_CHARS), project, newest.id, len(traces), won, newest.ended_at_ms)
