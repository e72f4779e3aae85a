"""The map of tasks: hexagons of alike tasks, alike ones side by side. Records only."""

from dataclasses import dataclass

from mcp_memory.domain.answers import EpisodeRow


@dataclass(frozen=True, slots=True)
class MapCell:
    """A hexagon in which attempts are; `x` and `y` of its middle, one hexagon being 1 wide."""

    number: int
    x: float
    y: float
    region: int  # its index among the regions
    attempts: int
    worked: int
    words: tuple[str, ...]  # that its tasks have and few others


@dataclass(frozen=True, slots=True)
class MapRegion:
    """Neighbouring hexagons under one label, which stands at the fullest of them."""

    words: tuple[str, ...]
    x: float
    y: float
    attempts: int
    worked: int


@dataclass(frozen=True, slots=True)
class TaskMap:
    """Attempts of a project, or of all, where the chart of all tasks has them: a place means the same on every map."""

    width: float
    height: float
    cells: tuple[MapCell, ...]
    regions: tuple[MapRegion, ...]  # most attempts first
    attempts: int
    waiting: int = 0  # attempts that are not embedded yet
    by_words: bool = False  # placed by the words of their tasks, embedding being off
    chosen: tuple[EpisodeRow, ...] = ()  # the newest attempts of what was asked for, a hexagon or a region
    chosen_attempts: int = 0
    degraded: tuple[str, ...] = ()
    is_coming: bool = False  # it is drawn behind the pages, for the first time: ask again in a moment
