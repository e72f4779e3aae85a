"""The sign-bit index stays equal to a dict under any sequence of additions and removals."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mcp_memory.views.vector_index import SignBitIndex
from tests.vectors import coded

DIMENSION = 70  # not a multiple of 64


class IndexAgainstDict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.index = SignBitIndex(DIMENSION)
        self.model: dict[int, np.ndarray] = {}
        self.random = np.random.default_rng(0)

    @rule(keys=st.sets(st.integers(0, 200), min_size=1, max_size=20))
    def add(self, keys: set[int]) -> None:
        new = sorted(keys - self.model.keys())
        if new:
            rows = self.random.normal(size=(len(new), DIMENSION)).astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            self.index.add(new, *coded(rows))
            self.model |= dict(zip(new, rows, strict=True))

    @rule(keys=st.sets(st.integers(0, 200), max_size=20))
    def remove(self, keys: set[int]) -> None:
        self.index.remove(sorted(keys))
        for key in keys:
            self.model.pop(key, None)

    @invariant()
    def the_same_keys_are_found(self) -> None:
        assert len(self.index) == len(self.model)
        query = np.ones(DIMENSION, np.float32) / np.sqrt(DIMENSION)
        keys, scores = self.index.search(query, 1_000)
        assert set(keys.tolist()) == self.model.keys()
        for key, score in zip(keys.tolist(), scores.tolist(), strict=True):
            assert abs(score - float(self.model[key] @ query)) < 0.02
        known = self.index.similarities(query, [*self.model, 999])
        assert np.isnan(known[-1])
        assert not np.isnan(known[:-1]).any()


TestIndexAgainstDict = IndexAgainstDict.TestCase
TestIndexAgainstDict.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
