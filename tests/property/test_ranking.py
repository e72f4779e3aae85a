"""What ranking never does, whatever the numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mcp_memory.retrieval import ranking
from mcp_memory.retrieval.text_query import listing_query, read_query, request_parts

SCORES = st.integers(1, 30).flatmap(lambda n: arrays(float, n, elements=st.floats(-50, 50)))


@given(SCORES)
def test_z_scores_keep_the_order_and_are_centred(values: np.ndarray) -> None:
    z = ranking.z_scores(values)
    assert np.isfinite(z).all()
    assert abs(z.mean()) < 1e-6
    for i in range(len(values) - 1):
        assert (values[i] - values[i + 1]) * (z[i] - z[i + 1]) >= 0


@given(SCORES, st.integers(0, 2**32 - 1))
def test_support_lifts_nobody_above_the_best_and_lowers_nobody(relevance: np.ndarray, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(len(relevance), 3))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    supported = ranking.supported(relevance, rows @ rows.T)
    assert (supported >= relevance - 1e-9).all()
    assert supported.max() <= relevance.max() + 1e-9


@given(st.text(max_size=500))
def test_every_term_is_a_word_free_of_syntax(text: str) -> None:
    query = read_query(text)
    assert (listing_query(text) is None) == (not query.terms)
    assert all('"' not in term and not term.isspace() for term in (*query.terms, *query.phrases))
    assert all(sentence in text for sentence in request_parts(text))
