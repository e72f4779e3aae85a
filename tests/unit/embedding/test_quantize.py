import numpy as np

from mcp_memory.embedding.hash_embedder import HashEmbedder
from mcp_memory.embedding.quantize import quantize_rows


def decode(scales: list[float], codes: list[bytes]) -> np.ndarray:
    return np.stack([np.frombuffer(row, np.int8) * np.float32(scale) for scale, row in zip(scales, codes, strict=True)])


def test_a_decoded_row_is_off_by_half_a_scale_at_most() -> None:
    vectors = HashEmbedder(384).embed([f"text {n}" for n in range(200)])
    scales, codes = quantize_rows(vectors)
    assert [len(row) for row in codes] == [384] * 200
    decoded = decode(scales, codes)
    assert (np.abs(decoded - vectors) <= np.array(scales)[:, None] * 0.5001).all()
    assert ((decoded * vectors).sum(axis=1) / np.linalg.norm(decoded, axis=1)).min() > 0.9999


def test_the_largest_component_is_exact() -> None:
    scales, codes = quantize_rows(np.array([[0.6, -0.8], [1, 0]], np.float32))
    np.testing.assert_allclose(decode(scales, codes)[:, 1], [-0.8, 0], atol=1e-7)
    assert codes == [np.array([95, -127], np.int8).tobytes(), bytes([127, 0])]


def test_a_zero_row_stays_zero() -> None:
    assert quantize_rows(np.zeros((1, 3), np.float32)) == ([1.0], [bytes(3)])


def test_no_rows_give_nothing() -> None:
    assert quantize_rows(np.empty((0, 3), np.float32)) == ([], [])
