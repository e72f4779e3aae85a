"""Where all attempts are on one chart, followed in pieces of bounded work: what a map is answered from."""

import zlib
from collections.abc import Sequence
from heapq import nsmallest

import numpy as np

from mcp_memory.learning.reports import chart as charts
from mcp_memory.learning.reports.chart import Chart
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.map_tallies import Placed, Tallies

BY_WORDS = "words"  # the space of a chart that is made without embeddings
MIN_TASKS = 8  # different ones; fewer make no map
SAMPLE = 4_000  # tasks that a chart is made from
GROWTH = 1.5  # times as many tasks as the chart was made from, or so many times fewer: then it is made again, from where it was


class Following:
    """The attempts up to a row of the experience. `waiting`: those without a vector yet, or not tried since they came."""

    def __init__(self, engines: Engines, removals: int, chart: Chart | None) -> None:
        """*removals* is how often an attempt was taken from the experience: another number, and all of this is out of date."""
        self._e, self.removals, self.chart = engines, removals, chart
        self.tallies = Tallies()
        self._untried, self._tried = list[Placed](), list[Placed]()
        self._row = 0  # those before it were read
        self._has_too_few = False  # with a vector, for another chart: no piece more makes that otherwise
        self._tasks: dict[int, Placed] = {}  # the latest attempt at each different task, by a sum of its words

    @property
    def waiting(self) -> list[Placed]:
        """Attempts that were read and are in no hexagon."""
        return self._untried + self._tried

    def try_again(self) -> None:
        """Let those without a vector be tried once more."""
        self._untried, self._tried = self._tried + self._untried, []
        self._has_too_few = False

    def read(self, at_most: int) -> bool:
        """Read some of what is new; return whether there was any, or all of it is out of date."""
        with self._e.views.read() as v:
            x = v.experience
            if x.removals != self.removals:
                return True
            rows = range(self._row, min(self._row + at_most, len(x.alive)))
            found = [x.trace(row) for row in rows if x.alive[row]]
        new = [Placed(t.seq, t.id, t.project, t.task, t.success, t.ended_at_ms) for t in found]
        self._row = max(self._row, rows.stop)
        self._has_too_few &= not new
        self._untried += new
        self._tasks |= {zlib.crc32(placed.task.encode("utf-8", "replace")): placed for placed in new}
        return bool(rows)

    @property
    def is_outdated(self) -> bool:
        """Whether another chart would be made of the tasks there are."""
        made, tasks = self.chart, len(self._tasks)
        if self._has_too_few:
            return False
        return made is None or made.space != (self._space() or BY_WORDS) or not made.tasks / GROWTH <= tasks <= made.tasks * GROWTH

    def drawn(self) -> Chart | None:
        """Return a chart of the tasks there are; None while there are too few with a vector. A second for 4,000 and more."""
        space, tasks = self._space() or BY_WORDS, len(self._tasks)
        chosen = [self._tasks[number] for number in nsmallest(SAMPLE, self._tasks)]
        vectors = self._vectors(space, chosen)
        vectors = vectors[vectors.any(axis=1)]
        if len(vectors) < MIN_TASKS:
            self._has_too_few = True
            return None
        before = self.chart if self.chart is not None and self.chart.space == space else None
        with self._e.metrics.timed("draw_map"):
            return charts.chart(vectors, tasks, space, before)

    def place(self, at_most: int) -> bool:
        """Count some of those that were not tried and have a vector by now; return whether there was any to try."""
        part, self._untried = self._untried[:at_most], self._untried[at_most:]
        made = self.chart
        if made is None or not part:
            self._tried += part
            return False
        vectors = self._vectors(made.space, part)
        known = np.flatnonzero(vectors.any(axis=1)) if vectors.shape[1] == len(made.middle) else np.zeros(0, np.int64)
        there = set(known.tolist())
        self._tried += [placed for at, placed in enumerate(part) if at not in there]
        if there:
            cells = charts.places_on(made, vectors[known]).tolist()
            self.tallies.add((part[at], cell) for at, cell in zip(known.tolist(), cells, strict=True))
        return True

    def _space(self) -> str:
        return next(iter(self._e.embedding.spaces), "")

    def _vectors(self, space: str, attempts: Sequence[Placed]) -> np.ndarray:
        if space == BY_WORDS:
            return charts.word_vectors([placed.task for placed in attempts])
        with self._e.views.read() as v:
            index = v.vectors.get(self._space())
            return np.zeros((len(attempts), 1), np.float32) if index is None else index.rows([placed.seq for placed in attempts])
