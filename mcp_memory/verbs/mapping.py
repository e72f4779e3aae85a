"""The map of tasks: made from the views once, then followed. The cost of a map does not depend on how many attempts there are.

In a large memory whose pages are served the following is done behind them, a piece at a time; whoever asks for the map only reads.
"""

import asyncio
import logging
import os
import threading
import time
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import numpy as np

from mcp_memory import private
from mcp_memory.domain.answers import EpisodeRow
from mcp_memory.domain.requests import MapTasks
from mcp_memory.domain.task_map import MapCell, MapRegion, TaskMap
from mcp_memory.errors import McpMemoryError
from mcp_memory.learning.reports import chart as charts
from mcp_memory.learning.reports.chart import Chart
from mcp_memory.verbs.background import yield_to_others
from mcp_memory.verbs.engines import Engines
from mcp_memory.verbs.map_following import BY_WORDS, Following
from mcp_memory.verbs.presenting import episode_row

FILE_NAME = "map.npz"  # in the data directory; losing it costs a second, and what was left on the map may then be elsewhere
AT_ONCE = 2_000  # attempts that are read, or placed, at once for who waits: some 90 ms
AT_ONCE_BEHIND = 200  # the same behind the pages: some 9 ms
REST = 3  # times what a piece took, before the next one behind the pages
LOOK_EVERY_S = 5.0
logger = logging.getLogger(__name__)


class Mapping:
    """The verb map_tasks."""

    def __init__(self, engines: Engines, large: int) -> None:
        """*large*: from how many episodes on the map may be followed behind the pages."""
        self._e, self._large = engines, large
        self._path = engines.config.data_dir / FILE_NAME
        self._turn = threading.Lock()  # of whoever follows; the views are taken within it
        self._shown = Following(engines, -1, None)
        self._coming: Following | None = None  # takes the place of what is shown when it is complete
        self._is_kept_ready = False

    async def map(self, asked: MapTasks) -> TaskMap:
        """Answer `map_tasks`."""
        return await self._e.in_thread(lambda: self._map(asked))

    async def keep_ready(self) -> None:
        """Follow what comes, with pauses, so that nobody who asks for the map of a large memory has to; until cancelled."""
        if self._is_kept_ready:
            return
        self._is_kept_ready = True
        thread = ThreadPoolExecutor(1, thread_name_prefix="map", initializer=yield_to_others)
        try:
            while True:
                await asyncio.get_running_loop().run_in_executor(thread, self._follow_behind)
                await anyio.sleep(LOOK_EVERY_S)
        finally:
            self._is_kept_ready = False  # so that the thread ends after the piece at hand
            thread.shutdown(wait=False)

    @property
    def _is_behind(self) -> bool:
        return self._is_kept_ready and self._e.views.episodes >= self._large

    def _follow_behind(self) -> None:
        try:
            if not self._is_behind or self._e.current():
                return
            with self._turn:
                self._shown.try_again()
            more = True
            while more and self._is_kept_ready:
                started = time.thread_time()
                with self._turn:
                    more = self._follow_some(AT_ONCE_BEHIND)
                time.sleep(REST * (time.thread_time() - started))
        except McpMemoryError as error:  # the next look tries again
            logger.warning("the map of tasks: %s", error.line())

    def _map(self, asked: MapTasks) -> TaskMap:
        degraded = self._e.current()
        project = asked.project or self._e.project
        with self._turn:
            if not self._is_behind:
                self._shown.try_again()
                while self._follow_some(AT_ONCE):
                    pass
            shown = self._shown
            made, waiting = shown.chart, sum(p.project == project or project == "*" for p in shown.waiting)
            if made is None:
                by_words = not self._e.embedding.spaces
                return TaskMap(0.0, 0.0, (), (), 0, waiting, by_words=by_words, degraded=degraded, is_coming=self._is_behind)
            cells, regions = shown.tallies.cells(project, made)
            chosen = [c for c in cells if c.number == asked.cell or (asked.region >= 0 and c.region == asked.region)]
            ids = shown.tallies.newest(project, [c.number for c in chosen])
        rows = tuple(episode_row(found) for found in self._e.store.get_episodes(ids, steps=False) if found is not None)
        return _told(made, cells, regions, waiting, rows, sum(c.attempts for c in chosen), degraded)

    def _follow_some(self, at_most: int) -> bool:
        """Do a piece of what is left; return whether there may be more. Where something went, all begins anew beside what is shown."""
        with self._e.views.read() as v:
            removals = v.experience.removals
        followed = self._coming or self._shown
        if removals != followed.removals:
            self._coming = Following(self._e, removals, followed.chart)
            return True
        if followed.read(at_most):
            return True
        if followed.chart is None:
            followed.chart = read_chart(self._path)
        if followed.is_outdated and (made := followed.drawn()) is not None:
            self._keep(made)
            self._coming = Following(self._e, removals, made)
            return True
        if followed.place(at_most):
            return True
        self._shown, self._coming = followed, None
        return False

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
