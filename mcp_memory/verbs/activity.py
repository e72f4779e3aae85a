"""What went on lately: attempts by day, and of the latest episodes errors that come again and files worked on. Cost: bounded."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from mcp_memory.domain.activity import Activity, Day, RepeatedError, SeenAgent, WorkedFile
from mcp_memory.domain.episode import Trace
from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.requests import RecentActivity, WorkedFiles
from mcp_memory.learning.judging.comparison import CHANGED
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.reading.signatures import same_error
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.presenting import DAY_MS
from mcp_memory.views.view import View

RECENT = 1_000  # episodes that are looked at
DAYS = 14
MIN_ATTEMPTS = 3  # that met an error, before it is one of the repeated
MAX_ERRORS = 6
MAX_AGENTS = 50
MAX_KINDS = 400  # of errors that are compared with each other
Met = list[tuple[Trace, int]]  # who met an error, and at which step; newest first


class RecentWork:
    """The verbs recent_activity and worked_files."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines

    async def activity(self, asked: RecentActivity) -> Activity:
        """Return attempts by day and the errors that came again."""
        return await self._e.in_thread(lambda: self._activity(asked.project or self._e.project))

    def _activity(self, project: str) -> Activity:
        traces, now_ms = self._recent(project), self._e.clock()
        first = now_ms // DAY_MS - DAYS + 1
        worked, other = self._by_day(project, first)
        days = tuple(Day((first + at) * DAY_MS, worked[at], other[at]) for at in range(DAYS))
        found = sorted(_kinds(traces), key=lambda met: -len({t.id for t, _ in met}))[:MAX_ERRORS]
        return Activity(days, tuple(e for met in found if (e := self._error(met)) is not None), self._agents(project))

    def _by_day(self, project: str, first: int) -> tuple[list[int], list[int]]:
        """Return how many attempts of each day from the first on worked, and how many did not."""
        with self._e.views.read() as v:
            x = v.experience
            days = x.ended_at_ms // DAY_MS - first
            shown = x.in_project(project) & (days >= 0) & (days < DAYS)
            counted = np.bincount(2 * days[shown] + x.success[shown], minlength=2 * DAYS)
        return counted[1::2].tolist(), counted[::2].tolist()

    def _agents(self, project: str) -> tuple[SeenAgent, ...]:
        """Return who completed attempts, seen last first."""
        with self._e.views.read() as v:
            x = v.experience
            rows = x.in_project(project).nonzero()[0]
            rows = rows[np.argsort(x.ended_at_ms[rows], kind="stable")]
            numbers, back, counts = np.unique(x.agent[rows][::-1], return_index=True, return_counts=True)
            worked = np.bincount(x.agent[rows], weights=x.success[rows], minlength=int(numbers[-1]) + 1 if len(numbers) else 0)
            newest = rows[::-1][back]
            found = [
                SeenAgent(x.agent_name(int(number)), int(count), int(worked[number]), int(x.ended_at_ms[row]), x.trace(int(row)).id)
                for number, count, row in zip(numbers, counts, newest, strict=True)
            ]
        return tuple(sorted(found, key=lambda seen: -seen.last_at_ms)[:MAX_AGENTS])

    def _error(self, met: Met) -> RepeatedError | None:
        """Return the error as the newest attempt met it; None when that was forgotten meanwhile."""
        (trace, step), attempts = met[0], {t.id: t for t, _ in met}
        episode = self._e.store.get_episodes([trace.id])[0]
        if episode is None or step >= len(episode.steps):
            return None
        worked = sum(t.success for t in attempts.values())
        return RepeatedError(message_of(episode.steps[step]), len(attempts), worked, trace.id, step, trace.ended_at_ms)

    async def files(self, asked: WorkedFiles) -> tuple[WorkedFile, ...]:
        """Return the files that the latest attempts changed, most often changed first."""
        traces = await self._e.in_thread(lambda: self._recent(asked.project or self._e.project))
        by_path: dict[str, list[Trace]] = defaultdict(list)
        for trace in traces:
            for path in trace.digest.get(CHANGED, ()):
                by_path[path].append(trace)
        found = sorted(by_path.items(), key=lambda item: (-len(item[1]), item[0]))[: asked.limit]
        return tuple(_worked_file(path, done) for path, done in found)

    def _recent(self, project: str) -> list[Trace]:
        self._e.current()
        with self._e.views.read() as v:
            return list(islice(_newest_first(v, project), RECENT))


def _newest_first(v: View, project: str) -> Iterator[Trace]:
    x = v.experience
    alive = x.alive if project == ANY_PROJECT else x.alive & x.in_project(project)
    return (x.full_trace(int(row)) for row in reversed(alive.nonzero()[0]))


def _kinds(traces: Sequence[Trace]) -> list[Met]:
    """Return the errors that enough attempts met, those of one kind together."""
    exact: dict[str, Met] = defaultdict(list)
    for trace in traces:
        for step, signature in trace.errors:
            if signature and step < len(trace.step_keys) - 1:  # what came at the very end is the verdict on the attempt
                exact[signature].append((trace, step))
    kinds: dict[str, Met] = {}
    for signature, met in sorted(exact.items(), key=lambda item: -len(item[1]))[:MAX_KINDS]:
        kind = next((known for known in kinds if same_error(known, signature)), signature)
        kinds.setdefault(kind, []).extend(met)
    several = [met for met in kinds.values() if len({t.id for t, _ in met}) >= MIN_ATTEMPTS]
    return [sorted(met, key=lambda item: -item[0].ended_at_ms) for met in several]


def _worked_file(path: str, done: Sequence[Trace]) -> WorkedFile:
    newest = max(done, key=lambda t: t.ended_at_ms)
    good = [t for t in done if t.success]
    fixed = max(good, key=lambda t: t.ended_at_ms, default=None)
    return WorkedFile(path, len(done), len(good), newest.ended_at_ms, newest.id, fixed.id if fixed else None)
