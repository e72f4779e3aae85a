"""A chart puts alike tasks side by side, is the same for the same tasks, and keeps its regions when it grows."""

import numpy as np

from mcp_memory.learning.reports.chart import MAX_CELLS, chart, middles, places_on, word_vectors

DIMENSION = 48


def kinds(each: int, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of some kinds of tasks and which kind each is of."""
    source = np.random.default_rng(1)
    centres = source.standard_normal((count, DIMENSION))
    of_kind = np.repeat(np.arange(count), each)
    vectors = centres[of_kind] + 0.4 * source.standard_normal((count * each, DIMENSION))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), of_kind


def test_tasks_of_one_kind_lie_nearer_to_each_other_than_to_others() -> None:
    vectors, of_kind = kinds(50)
    made = chart(vectors, len(vectors), "s")
    at = middles(made.columns, made.rows)[places_on(made, vectors)]
    middle_of = np.stack([np.median(at[of_kind == kind], axis=0) for kind in range(6)])
    nearest = np.hypot(*np.moveaxis(at[:, None, :] - middle_of[None, :, :], 2, 0)).argmin(axis=1)
    assert (nearest == of_kind).mean() > 0.95


def test_the_same_tasks_give_the_same_chart_and_it_is_never_larger_than_a_screen() -> None:
    vectors, _ = kinds(20)
    one, other = chart(vectors, 1_000_000, "s"), chart(vectors, 1_000_000, "s")
    assert np.array_equal(one.prototypes, other.prototypes)
    assert MAX_CELLS * 0.9 < one.cells <= MAX_CELLS * 1.05


def test_a_chart_that_grows_leaves_a_kind_of_task_in_its_region() -> None:
    vectors, of_kind = kinds(40)
    before = chart(vectors[::2], 120, "s")
    after = chart(vectors, 480, "s", before)
    assert after.cells > before.cells
    was = middles(before.columns, before.rows)[places_on(before, vectors)] / [before.columns, before.rows]
    now = middles(after.columns, after.rows)[places_on(after, vectors)] / [after.columns, after.rows]
    moved = [float(np.hypot(*(np.median(now[of_kind == k], axis=0) - np.median(was[of_kind == k], axis=0)))) for k in range(6)]
    assert max(moved) < 0.2, "of the chart's width"


def test_without_embeddings_tasks_with_the_same_words_are_alike() -> None:
    one, same, other = word_vectors(["mend the front wheel", "mend the wheel in front", "translate a poem"])
    assert one @ same > 0.9 > 0.3 > one @ other
