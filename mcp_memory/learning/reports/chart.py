"""A chart: prototypes of tasks on a grid of hexagons, alike ones side by side, and where a task's place is on it. Pure.

A self-organising map, trained in batches. Source: T. Kohonen, Essentials of the self-organizing map, Neural Networks 37 (2013), 52-65; its
size: J. Vesanto and E. Alhoniemi, Clustering of the self-organizing map, IEEE Transactions on Neural Networks 11 (2000), 586-600.
"""

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcp_memory.domain.text_words import STOP_WORDS
from mcp_memory.views.columns import Ints

Floats = npt.NDArray[np.float32]
MAX_CELLS, MIN_CELLS = 600, 12  # as many as are told apart on a screen
CELLS_PER_ROOT = 5.0  # cells for the square root of the tasks (Vesanto and Alhoniemi)
SHAPE = 1.5  # of the grid, columns to rows: that of a page
AXES = 32  # directions in which the tasks differ most; the rest is noise for this
PASSES = 24
LAST_RADIUS = 0.7  # in hexagons: neighbours still draw at each other a little
MOVED_RADIUS = 1 / 6  # of the grid's width, where an earlier chart is gone on from: places shift, regions stay
ROW_HEIGHT = math.sqrt(3) / 2
WORD_DIMENSION = 256
_WORD = re.compile(r"[^\W\d_][\w-]{2,}")


@dataclass(frozen=True, slots=True)
class Chart:
    """Prototypes (cells, axes) and the axes (dimension, axes) around the middle of all tasks."""

    space: str  # of the vectors it is a chart of
    columns: int
    rows: int
    middle: Floats
    axes: Floats
    prototypes: Floats
    tasks: int  # it was made from

    @property
    def cells(self) -> int:
        return self.columns * self.rows


def words_of(task: str) -> list[str]:
    """Return the words of a task that may tell it from others, each once."""
    return list(dict.fromkeys(word for word in _WORD.findall(task.lower()) if word not in STOP_WORDS))


def word_vectors(tasks: Sequence[str]) -> Floats:
    """Return unit vectors of the tasks' words, for a memory without embeddings: hashed, each with a sign."""
    made = np.zeros((len(tasks), WORD_DIMENSION), np.float32)
    for row, task in zip(made, tasks, strict=True):
        for word in words_of(task):
            number = zlib.crc32(word.encode())
            row[number % WORD_DIMENSION] += 1.0 if number & 0x8000_0000 else -1.0
    return np.asarray(made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9), np.float32)


def middles(columns: int, rows: int) -> Floats:
    """Return the middles (cells, 2) of a grid's hexagons, every second row moved by a half."""
    row, column = np.divmod(np.arange(columns * rows), columns)
    return np.stack([column + 0.5 * (row % 2), row * ROW_HEIGHT], axis=1).astype(np.float32)


def chart(vectors: Floats, tasks: int, space: str, before: Chart | None = None) -> Chart:
    """Return a chart of tasks. The same vectors give the same chart. A second for 4,000 of 384 dimensions.

    Args:
        vectors: Of different tasks, or of a sample of them (n, dimension).
        tasks: How many different tasks there are.
        space: What the vectors are in.
        before: An earlier chart in the same space, to go on from: then a task stays in its region.
    """
    wanted = min(MAX_CELLS, max(MIN_CELLS, round(CELLS_PER_ROOT * math.sqrt(tasks))))
    rows = max(2, round(math.sqrt(wanted / SHAPE)))
    columns = math.ceil(wanted / rows)
    if before is not None:
        middle, axes = before.middle, before.axes
    else:
        middle, axes = _axes(vectors)
    points = _points(vectors, middle, axes)
    places = middles(columns, rows)
    apart = ((places[:, None, :] - places[None, :, :]) ** 2).sum(axis=2)
    if before is not None:
        prototypes, radius = _carried(before, columns, rows), columns * MOVED_RADIUS
    else:
        prototypes, radius = _plane(points, places), columns / 2
    for step in range(PASSES):
        reach = max(LAST_RADIUS, radius * (LAST_RADIUS / max(radius, LAST_RADIUS)) ** (step / (PASSES - 1)))
        prototypes = _pass(points, prototypes, np.exp(-apart / (2 * reach * reach)))
    return Chart(space, columns, rows, middle, axes, prototypes, tasks)


def places_on(made: Chart, vectors: Floats) -> Ints:
    """Return the cell of each vector: that of the nearest prototype."""
    return _nearest(_points(vectors, made.middle, made.axes), made.prototypes)


def _points(vectors: Floats, middle: Floats, axes: Floats) -> Floats:
    return np.asarray((vectors - middle) @ axes, np.float32)


def _axes(vectors: Floats) -> tuple[Floats, Floats]:
    """Return the middle and the directions of largest variance, each with the sign that makes its largest component positive."""
    middle = vectors.mean(axis=0)
    spread = (vectors - middle).astype(np.float64)
    directions = np.linalg.eigh(spread.T @ spread)[1][:, ::-1][:, :AXES]
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    return np.asarray(middle, np.float32), np.asarray(directions * np.where(largest < 0, -1.0, 1.0), np.float32)


def _plane(points: Floats, places: Floats) -> Floats:
    """Return prototypes spread over the first two axes, as the grid lies."""
    prototypes = np.zeros((len(places), points.shape[1]), np.float32)
    for axis in range(min(2, points.shape[1])):
        along = places[:, axis] - places[:, axis].mean()
        prototypes[:, axis] = along / max(1e-6, float(np.abs(along).max())) * 2 * points[:, axis].std()
    return prototypes


def _carried(before: Chart, columns: int, rows: int) -> Floats:
    """Return an earlier chart's prototypes on a grid of another size, each from the same part of it."""
    row, column = np.divmod(np.arange(columns * rows), columns)
    return np.asarray(before.prototypes[(row * before.rows // rows) * before.columns + column * before.columns // columns])


def _pass(points: Floats, prototypes: Floats, pull: Floats) -> Floats:
    """Return each prototype as the mean of all points, those near its own counting more."""
    nearest = _nearest(points, prototypes)
    counts = np.bincount(nearest, minlength=len(prototypes)).astype(np.float32)
    sums = np.zeros_like(prototypes)
    np.add.at(sums, nearest, points)
    return np.asarray((pull @ sums) / np.maximum(pull @ counts, 1e-9)[:, None], np.float32)


def _nearest(points: Floats, prototypes: Floats) -> Ints:
    return np.asarray(((prototypes**2).sum(axis=1)[None, :] - 2 * points @ prototypes.T).argmin(axis=1), np.int64)
