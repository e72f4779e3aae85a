"""The map of tasks: made from the views once, then followed. The cost of a map does not depend on how many attempts there are."""

import logging
import os
import threading
import zipfile
import zlib
from collections.abc import Sequence
from heapq import nsmallest
from itertools import islice
from pathlib import Path

import numpy as np

from mcp_memory import private
from mcp_memory.domain.answers import EpisodeRow
from mcp_memory.domain.requests import MapTasks
from mcp_memory.domain.task_map import MapCell, MapRegion, TaskMap
from mcp_memory.learning.reports import chart as charts
from mcp_memory.learning.reports.chart import Chart
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.map_tallies import Placed, Tallies
from mcp_memory.verbs.presenting import episode_row

FILE_NAME = "map.npz"  # in the data directory; losing it costs a second, and what was left on the map may then be elsewhere
BY_WORDS = "words"  # the space of a chart that is made without embeddings
MIN_TASKS = 8  # different ones; fewer make no map
SAMPLE = 4_000  # tasks that a chart is made from
GROWTH = 1.5  # times as many tasks as the chart was made from, or so many times fewer: then it is made again, from where it was
AT_ONCE = 2_000  # attempts that are read, or placed, under one turn at the views: some 5 ms
logger = logging.getLogger(__name__)


class Mapping:
    """The verb map_tasks."""

    def __init__(self, engines: Engines) -> None:
        self._e = engines
        self._path = engines.config.data_dir / FILE_NAME
        self._turn = threading.Lock()  # of whoever follows; the views are taken within it
        self._chart: Chart | None = None
        self._begin()

    def _begin(self) -> None:
        self._tallies, self._waiting = Tallies(), list[Placed]()
        self._row = 0  # of the experience: those before it were read
        self._removals = -1
        self._tasks: dict[int, Placed] = {}  # the latest attempt at each different task, by a sum of its words

    async def map(self, asked: MapTasks) -> TaskMap:
        """Answer `map_tasks`."""
        return await self._e.in_thread(lambda: self._map(asked))

    def _map(self, asked: MapTasks) -> TaskMap:
        degraded = self._e.current()
        project = asked.project or self._e.project
        with self._turn:
            self._follow()
            made, waiting = self._chart, sum(p.project == project or project == "*" for p in self._waiting)
            if made is None:
                return TaskMap(0.0, 0.0, (), (), 0, waiting, by_words=not self._e.embedding.spaces, degraded=degraded)
            cells, regions = self._tallies.cells(project, made)
            chosen = [c for c in cells if c.number == asked.cell or (asked.region >= 0 and c.region == asked.region)]
            ids = self._tallies.newest(project, [c.number for c in chosen])
        rows = tuple(episode_row(found) for found in self._e.store.get_episodes(ids, steps=False) if found is not None)
        return _told(made, cells, regions, waiting, rows, sum(c.attempts for c in chosen), degraded)

    def _follow(self) -> None:
        """Place what has come since the last map; begin anew where something went."""
        self._read_new()
        if self._outdated():
            made = self._drawn()
            if made is not None:
                self._chart = made
                self._keep(made)
                self._begin()
                self._read_new()
        if self._chart is not None:
            self._place(self._chart)

    def _read_new(self) -> None:
        while True:
            with self._e.views.read() as v:
                x = v.experience
                if x.removals != self._removals:
                    self._begin()
                    self._removals = x.removals
                rows = range(self._row, min(self._row + AT_ONCE, len(x.alive)))
                found = [x.trace(row) for row in rows if x.alive[row]]
            if not rows:
                return
            self._row = rows.stop
            new = [Placed(t.seq, t.id, t.project, t.task, t.success, t.ended_at_ms) for t in found]
            self._waiting += new
            self._tasks |= {zlib.crc32(placed.task.encode("utf-8", "replace")): placed for placed in new}

    def _space(self) -> str:
        return next(iter(self._e.embedding.spaces), "")

    def _outdated(self) -> bool:
        if self._chart is None:
            self._chart = self._kept()
        made, tasks = self._chart, len(self._tasks)
        return made is None or made.space != (self._space() or BY_WORDS) or not made.tasks / GROWTH <= tasks <= made.tasks * GROWTH

    def _drawn(self) -> Chart | None:
        """Return a chart of the tasks there are; None while there are too few with a vector."""
        space, tasks = self._space() or BY_WORDS, len(self._tasks)
        chosen = [self._tasks[number] for number in nsmallest(SAMPLE, self._tasks)]
        if space == BY_WORDS:
            vectors = charts.word_vectors([placed.task for placed in chosen])
        else:
            vectors = self._vectors([placed.seq for placed in chosen])
        vectors = vectors[vectors.any(axis=1)]
        if len(vectors) < MIN_TASKS:
            return None
        before = self._chart if self._chart is not None and self._chart.space == space else None
        with self._e.metrics.timed("draw_map"):
            return charts.chart(vectors, tasks, space, before)

    def _vectors(self, seqs: Sequence[int]) -> np.ndarray:
        space, parts = self._space(), []
        for start in range(0, len(seqs), AT_ONCE):
            part = seqs[start : start + AT_ONCE]
            with self._e.views.read() as v:
                index = v.vectors.get(space)
                parts.append(index.rows(part) if index is not None else np.zeros((len(part), 1), np.float32))
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)

    def _place(self, made: Chart) -> None:
        """Count those that wait and have a vector by now."""
        waiting, self._waiting = iter(self._waiting), []
        while part := list(islice(waiting, AT_ONCE)):
            if made.space == BY_WORDS:
                vectors = charts.word_vectors([placed.task for placed in part])
            else:
                vectors = self._vectors([placed.seq for placed in part])
            known = np.flatnonzero(vectors.any(axis=1)) if vectors.shape[1] == len(made.middle) else np.zeros(0, np.int64)
            there = set(known.tolist())
            self._waiting += [placed for at, placed in enumerate(part) if at not in there]
            if there:
                cells = charts.places_on(made, vectors[known]).tolist()
                self._tallies.add((part[at], cell) for at, cell in zip(known.tolist(), cells, strict=True))

    def _keep(self, made: Chart) -> None:
        part = self._path.with_name(f"{FILE_NAME}.{os.getpid()}")
        try:
            with os.fdopen(private.create(part), "wb") as file:
                np.savez(
                    file,
                    space=np.array(made.space),
                    size=np.array([made.columns, made.rows, made.tasks]),
                    middle=made.middle,
                    axes=made.axes,
                    prototypes=made.prototypes,
                )
            part.replace(self._path)
        except OSError as error:  # the next process draws another one
            logger.warning("the map cannot be kept: %s", error)

    def _kept(self) -> Chart | None:
        return read_chart(self._path)


def read_chart(path: Path) -> Chart | None:
    """Return the chart that was kept; None where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            columns, rows, tasks = (int(number) for number in kept["size"])
            middle, axes, prototypes = (np.asarray(kept[name], np.float32) for name in ("middle", "axes", "prototypes"))
            space = str(kept["space"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        logger.warning("the map that was kept cannot be read and is drawn anew: %s", error)
        return None
    fits = prototypes.shape == (columns * rows, axes.shape[-1]) and axes.shape[0] == len(middle) and columns > 0 and tasks > 0
    return Chart(space, columns, rows, middle, axes, prototypes, tasks) if fits and np.isfinite(prototypes).all() else None


def _told(
    made: Chart,
    cells: Sequence[MapCell],
    regions: Sequence[MapRegion],
    waiting: int,
    rows: tuple[EpisodeRow, ...],
    chosen: int,
    degraded: tuple[str, ...],
) -> TaskMap:
    height = (made.rows - 1) * charts.ROW_HEIGHT
    return TaskMap(
        width=made.columns - 0.5,
        height=height,
        cells=tuple(cells),
        regions=tuple(regions),
        attempts=sum(c.attempts for c in cells),
        waiting=waiting,
        by_words=made.space == BY_WORDS,
        chosen=rows,
        chosen_attempts=chosen,
        degraded=degraded,
    )
