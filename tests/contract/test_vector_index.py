"""What a VectorIndex promises, against the plain product."""

from collections.abc import Sequence

import numpy as np
import pytest

from mcp_memory.ports import VectorIndex
from mcp_memory.views import vector_index
from mcp_memory.views.vector_index import SignBitIndex
from tests.vectors import coded

DIMENSION = 96


class PlainIndex:
    """The oracle: every vector, one product."""

    def __init__(self, dimension: int) -> None:
        self._keys = np.zeros(0, np.int64)
        self._vectors = np.zeros((0, dimension), np.float32)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: int) -> bool:
        return key in self._keys

    def add(self, keys: Sequence[int], codes: np.ndarray, scales: np.ndarray) -> None:
        self._keys = np.concatenate([self._keys, np.array(keys, np.int64)])
        self._vectors = np.concatenate([self._vectors, codes.astype(np.float32) * scales[:, None]])

    def remove(self, keys: Sequence[int]) -> None:
        kept = ~np.isin(self._keys, list(keys))
        self._keys, self._vectors = self._keys[kept], self._vectors[kept]

    def search(self, vector: np.ndarray, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        scores = self._vectors @ vector
        best: dict[int, float] = {}
        for i in np.argsort(-scores, kind="stable"):
            if allowed is None or self._keys[i] in allowed:
                best.setdefault(int(self._keys[i]), float(scores[i]))
        keys = list(best)[:k]
        return np.array(keys, np.int64), np.array([best[key] for key in keys], np.float32)

    def similarities(self, vector: np.ndarray, keys: Sequence[int]) -> np.ndarray:
        own = [self._vectors[self._keys == key] for key in keys]
        return np.array([(rows @ vector).max() if len(rows) else np.nan for rows in own], np.float32)

    def rows(self, keys: Sequence[int]) -> np.ndarray:
        own = [self._vectors[self._keys == key] for key in keys]
        first = [rows[0] if len(rows) else np.zeros(self._vectors.shape[1]) for rows in own]
        return np.array(first, np.float32).reshape(len(keys), self._vectors.shape[1])


@pytest.fixture(params=["sign bits, full scan", "sign bits, bit scan", "plain"])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> VectorIndex:
    if request.param == "plain":
        return PlainIndex(DIMENSION)
    if request.param == "sign bits, bit scan":
        monkeypatch.setattr(vector_index, "FULL_SCAN_ROWS", 50)
        monkeypatch.setattr(vector_index, "CHUNK_ROWS", 300)
        monkeypatch.setattr(vector_index, "BLOCK_ROWS", 128)
    return SignBitIndex(DIMENSION)


def vectors(count: int, seed: int = 0) -> np.ndarray:
    """Return unit vectors in clusters, off the origin, as embeddings are."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(20, DIMENSION))
    rows = centres[random.integers(0, 20, count)] + 0.7 * random.normal(size=(count, DIMENSION)) + 0.3
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    keys, scores = index.search(vectors(1)[0], 5)
    assert len(index) == len(keys) == len(scores) == 0


def test_the_nearest_are_those_of_the_plain_product(index: VectorIndex) -> None:
    rows = vectors(1_000)
    oracle = PlainIndex(DIMENSION)
    for start in (0, 100, 700):
        stop = {0: 100, 100: 700, 700: 1_000}[start]
        index.add(range(start, stop), *coded(rows[start:stop]))
        oracle.add(range(start, stop), *coded(rows[start:stop]))
    found = 0
    for query in vectors(30, seed=1):
        keys, scores = index.search(query, 10)
        true_keys, true_scores = oracle.search(query, 10)
        found += len(set(keys.tolist()) & set(true_keys.tolist()))
        assert np.all(np.diff(scores) <= 0)
        assert scores[0] == pytest.approx(true_scores[0], abs=0.01)
    assert found >= 0.97 * 300


def test_a_vector_finds_itself_first_with_a_similarity_of_one(index: VectorIndex) -> None:
    rows = vectors(200)
    index.add(range(200), *coded(rows))
    for i in (0, 57, 199):
        keys, scores = index.search(rows[i], 3)
        assert keys[0] == i
        assert scores[0] == pytest.approx(1.0, abs=0.01)


def test_removed_keys_are_gone_and_may_come_back(index: VectorIndex) -> None:
    rows = vectors(200)
    index.add(range(200), *coded(rows))
    index.remove([7, 8, 9_999])
    assert len(index) == 198
    assert 7 not in index.search(rows[7], 50)[0]
    index.add([7], *coded(rows[7:8]))
    assert index.search(rows[7], 1)[0].tolist() == [7]


def test_only_allowed_keys_are_found(index: VectorIndex) -> None:
    rows = vectors(400)
    index.add(range(400), *coded(rows))
    even = np.arange(0, 400, 2)
    for query in vectors(5, seed=2):
        keys, _ = index.search(query, 20, even)
        assert len(keys) == 20
        assert not (keys % 2).any()
    few = np.array([3, 5, 1_000_000])
    assert sorted(index.search(rows[0], 10, few)[0].tolist()) == [3, 5]
    assert len(index.search(rows[0], 10, np.zeros(0, np.int64))[0]) == 0


def test_a_key_of_several_rows_is_found_once_by_its_best(index: VectorIndex) -> None:
    rows = vectors(200)
    index.add(range(200), *coded(rows))
    index.add([5, 5], *coded(vectors(2, seed=3)))
    query = vectors(2, seed=3)[1]
    keys, scores = index.search(query, 10)
    assert keys[0] == 5
    assert scores[0] == pytest.approx(1.0, abs=0.01)
    assert len(set(keys.tolist())) == 10
    index.remove([5])
    assert len(index) == 199


def test_asking_for_more_than_there_is_gives_all(index: VectorIndex) -> None:
    index.add(range(120), *coded(vectors(120)))
    assert sorted(index.search(vectors(1)[0], 500)[0].tolist()) == list(range(120))


def test_similarities_and_rows_of_keys_are_those_of_the_plain_product(index: VectorIndex) -> None:
    rows, oracle = vectors(150), PlainIndex(DIMENSION)
    for one in (index, oracle):
        one.add(range(150), *coded(rows))
        one.add([4], *coded(vectors(1, seed=5)))
        one.remove([9])
    assert (4 in index, 9 in index, 999 in index) == (True, False, False)
    keys = [149, 4, 9, 0, 999, 4]
    query = vectors(1, seed=6)[0]
    assert np.allclose(index.similarities(query, keys), oracle.similarities(query, keys), atol=1e-5, equal_nan=True)
    assert np.allclose(index.rows(keys), oracle.rows(keys), atol=1e-6)
    assert index.similarities(query, []).shape == (0,)
    assert index.rows([]).shape == (0, DIMENSION)
