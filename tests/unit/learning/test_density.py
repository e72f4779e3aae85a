"""Our clusters and breaks beside those of scikit-learn and ruptures, which are not installed with the program."""

from typing import Any

import numpy as np
import pytest
import ruptures
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from mcp_memory.learning.reports import changepoints
from mcp_memory.learning.reports.density import average_linkage, dbscan, hdbscan, nearest

SPREADS = (0.1, 0.3, 0.6)


def points(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (int(rng.integers(2, 9)), 8))
    count = int(rng.integers(20, 300))
    return centres[rng.integers(0, len(centres), count)] + rng.normal(0, SPREADS[seed % 3], (count, 8))


@pytest.mark.parametrize("seed", range(9))
def test_clusters_are_those_of_the_library(seed: int) -> None:
    rows = points(seed)
    theirs = HDBSCAN(min_cluster_size=3, algorithm="ball_tree", copy=True).fit_predict(rows)
    assert adjusted_rand_score(theirs, hdbscan(rows, 3)) > 0.9, "equal but for ties between equal distances"
    assert (DBSCAN(eps=0.6, min_samples=3).fit_predict(rows) == dbscan(rows, 0.6, 3)).all()
    groups = AgglomerativeClustering(None, distance_threshold=1.2, linkage="average").fit_predict(rows)
    assert adjusted_rand_score(groups, average_linkage(rows, 1.2)) == 1


def test_rows_in_one_place_and_too_few_rows_are_no_clusters() -> None:
    assert set(hdbscan(np.zeros((10, 2)), 3).tolist()) == {-1}
    assert hdbscan(np.zeros((2, 2)), 3).tolist() == [-1, -1]
    assert average_linkage(np.zeros((3, 2)), 0.5).tolist() == [0, 0, 0]
    assert dbscan(np.zeros((4, 2)), 0.5, 3).tolist() == [0, 0, 0, 0]


def test_the_nearest_row_is_found_across_blocks() -> None:
    rows = np.random.default_rng(1).normal(size=(2_500, 3))
    far, which = nearest(rows, rows[:50])
    direct = np.linalg.norm(rows[:, None, :] - rows[None, :50, :], axis=2)
    assert (which == direct.argmin(axis=1)).all()
    assert np.allclose(far[50:], direct.min(axis=1)[50:])


@pytest.mark.parametrize("seed", range(12))
def test_breaks_are_those_of_the_library(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(10, 300))
    values = np.repeat(rng.random(count // 10 + 1), 10)[:count] + rng.normal(0, SPREADS[seed % 3] / 2, count)
    noise = float(np.mean(np.diff(values) ** 2) / 2)
    penalty = changepoints.PENALTY * noise * np.log(count)
    theirs = ruptures.KernelCPD(kernel="linear", min_size=changepoints.MIN_SEGMENT, jump=1).fit(values.reshape(-1, 1)).predict(pen=penalty)
    assert changepoints.find({"values": values.tolist()}) == theirs[:-1]
