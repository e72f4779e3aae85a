"""Map: tasks as hexagons, alike ones side by side, by how attempts ended; and the attempts of one of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mcp_memory.domain.task_map import MapCell, MapRegion, TaskMap
from mcp_memory.pages.calls import Answer, Call, Page, Refused

GRADES = 5  # of colour, from none worked to all
LEAST_SIZE = 0.35  # of a hexagon with one attempt, to one of the fullest
LEAST_UNIT, WIDTH = 20.0, 620.0  # of the drawing: for one hexagon, and for all of a small map, so that labels are no larger on it
MARGIN = 0.75  # around it, in hexagons
CORNERS = [(math.sin(math.pi * k / 3), math.cos(math.pi * k / 3)) for k in range(6)]
CHAR_WIDTH, LINE_HEIGHT = 7.6, 15.0  # of a label, about, in units of the drawing
Label = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class Hexagon:
    """A hexagon as it is drawn."""

    cell: MapCell
    points: str
    grade: int
    chosen: bool


async def show(call: Call) -> Answer:
    """The page; with a hexagon or a region, its newest attempts."""
    cell, region = _number(call, "cell"), _number(call, "region")

    async def ask() -> TaskMap:
        return await call.memory.map_tasks(project=call.session.project, cell=cell, region=region)

    made = await (call.soon if call.memory.is_large else call.dear)("map", ask, str(cell), str(region))
    if made is None or made.is_coming:
        return Page("map.html", {"map": None})
    unit = max(LEAST_UNIT, WIDTH / (made.width + 2 * MARGIN))
    size = (made.width + 2 * MARGIN) * unit, (made.height + 2 * MARGIN) * unit
    return Page(
        "map.html",
        {
            "map": made,
            "hexagons": _hexagons(made, cell, region, unit),
            "labels": _labels(made.regions, unit, size[0]),
            "size": size,
            "grades": range(GRADES),
            "cell": next((c for c in made.cells if c.number == cell), None),
            "region": region if 0 <= region < len(made.regions) else None,
        },
    )


def _number(call: Call, name: str) -> int:
    text = call.query.get(name, "")
    if not text:
        return -1
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise Refused(f"`{name}` in the address is no whole number", hint="Choose a place on the map.")
    return int(text)


def _hexagons(made: TaskMap, cell: int, region: int, unit: float) -> list[Hexagon]:
    fullest = math.log1p(max((c.attempts for c in made.cells), default=1))
    drawn = []
    for c in made.cells:
        share = math.log1p(c.attempts) / fullest
        radius = (LEAST_SIZE + (1 - LEAST_SIZE) * share) * unit / math.sqrt(3) * 0.96
        x, y = (c.x + MARGIN) * unit, (c.y + MARGIN) * unit
        points = " ".join(f"{x + radius * sine:.1f},{y + radius * cosine:.1f}" for sine, cosine in CORNERS)
        drawn.append(Hexagon(c, points, min(GRADES - 1, c.worked * GRADES // c.attempts), c.number == cell or c.region == region))
    return drawn


def _labels(regions: Sequence[MapRegion], unit: float, width: float) -> list[Label]:
    """Return where labels go: at the fullest hexagon, the larger region first; one that would cover another is left to the table."""
    placed: list[Label] = []
    for region in regions:
        text = ", ".join(region.words)
        half = len(text) * CHAR_WIDTH / 2
        x = min(max((region.x + MARGIN) * unit, half), max(half, width - half))
        y = (region.y + MARGIN) * unit + 4
        if all(abs(x - ox) > half + len(other) * CHAR_WIDTH / 2 or abs(y - oy) > LINE_HEIGHT for ox, oy, other in placed):
            placed.append((x, y, text))
    return placed
