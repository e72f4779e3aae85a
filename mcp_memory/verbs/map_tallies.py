"""What is known of the hexagons of the map, counted up as attempts are placed in them."""

import math
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mcp_memory.domain.query import ANY_PROJECT
from mcp_memory.domain.task_map import MapCell, MapRegion
from mcp_memory.learning.reports.chart import Chart, middles, words_of

MAX_NEWEST = 50  # attempts that a hexagon remembers, the newest
MAX_REGIONS = 12  # labels that fit on a page without covering each other
CELL_WORDS, REGION_WORDS = 2, 3
WEIGHED_WORDS = 15  # the most frequent of a hexagon; a rare one is no label
LEAST_APART = 3.0  # hexagons between two labels


@dataclass(frozen=True, slots=True)
class Placed:
    """A completed attempt as the map needs it."""

    seq: int
    id: str
    project: str
    task: str
    success: bool
    ended_at_ms: int


@dataclass(slots=True)
class Tally:
    """Of one hexagon and one project, or all."""

    attempts: int = 0
    worked: int = 0
    words: Counter[str] = field(default_factory=Counter)  # of different tasks
    newest: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=MAX_NEWEST))  # when each ended, and its id


class Tallies:
    """Of every hexagon, by project and for all. Attempts are only ever added: who takes one away begins anew."""

    def __init__(self) -> None:
        self._by_project: dict[str, dict[int, Tally]] = {}
        self._spread: dict[str, Counter[str]] = {}  # in how many tasks a word is
        self._tasks: dict[str, set[int]] = {}

    def add(self, placed: Iterable[tuple[Placed, int]]) -> None:
        """Count attempts in their hexagons. Some 20 µs each."""
        for attempt, cell in placed:
            number, words = zlib.crc32(attempt.task.encode("utf-8", "replace")), None
            for project in (attempt.project, ANY_PROJECT):
                tally = self._by_project.setdefault(project, {}).setdefault(cell, Tally())
                tally.attempts += 1
                tally.worked += attempt.success
                tally.newest.append((attempt.ended_at_ms, attempt.id))
                known = self._tasks.setdefault(project, set())
                if number not in known:
                    known.add(number)
                    words = words_of(attempt.task) if words is None else words
                    tally.words.update(words)
                    self._spread.setdefault(project, Counter()).update(words)

    def cells(self, project: str, chart: Chart) -> tuple[list[MapCell], list[MapRegion]]:
        """Return the hexagons in which the project has attempts, and the regions they lie in."""
        tallies = self._by_project.get(project, {})
        sites, region_of = _regions(tallies, chart)
        places, spread, tasks = middles(chart.columns, chart.rows), self._spread.get(project, Counter()), len(self._tasks.get(project, ()))
        cells, regions = [], []
        for region, site in enumerate(sites):
            members = [tally for cell, tally in tallies.items() if region_of[cell] == region]
            words: Counter[str] = Counter()
            for tally in members:
                words.update(dict(tally.words.most_common(WEIGHED_WORDS)))
            x, y = places[site].tolist()
            counted = sum(t.attempts for t in members), sum(t.worked for t in members)
            regions.append(MapRegion(_distinctive(words, spread, tasks, REGION_WORDS), x, y, *counted))
        for cell, tally in sorted(tallies.items()):
            x, y = places[cell].tolist()
            words_here = Counter(dict(tally.words.most_common(WEIGHED_WORDS)))
            words_told = _distinctive(words_here, spread, tasks, CELL_WORDS)
            cells.append(MapCell(cell, x, y, region_of[cell], tally.attempts, tally.worked, words_told))
        return cells, regions

    def newest(self, project: str, cells: Iterable[int]) -> list[str]:
        """Return the newest attempts of some hexagons, newest first."""
        tallies = self._by_project.get(project, {})
        found = sorted((entry for cell in cells if cell in tallies for entry in tallies[cell].newest), reverse=True)
        return [episode_id for _, episode_id in found[:MAX_NEWEST]]


def _regions(tallies: Mapping[int, Tally], chart: Chart) -> tuple[Sequence[int], Mapping[int, int]]:
    """Return the fullest hexagons that lie apart from each other, fullest first, and for each hexagon which of them is nearest."""
    places = middles(chart.columns, chart.rows)
    apart = max(LEAST_APART, math.sqrt(chart.cells / MAX_REGIONS))
    sites: list[int] = []
    for cell, _ in sorted(tallies.items(), key=lambda item: (-item[1].attempts, item[0])):
        if len(sites) == MAX_REGIONS:
            break
        if all(np.hypot(*(places[cell] - places[site])) >= apart for site in sites):
            sites.append(cell)
    return sites, dict(_nearest_sites(tallies, sites, places))


def _nearest_sites(cells: Iterable[int], sites: Sequence[int], places: np.ndarray) -> Iterator[tuple[int, int]]:
    for cell in cells:
        away = places[list(sites)] - places[cell]
        yield cell, int(np.hypot(away[:, 0], away[:, 1]).argmin())


def _distinctive(words: Counter[str], spread: Mapping[str, int], tasks: int, count: int) -> tuple[str, ...]:
    """Return the words that are often here and seldom elsewhere."""
    total = max(1, sum(words.values()))
    scores = {word: n / total * math.log((tasks + 1) / max(1, spread[word])) for word, n in words.items()}
    return tuple(word for word, _ in sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:count])
