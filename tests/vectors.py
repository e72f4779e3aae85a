"""Vectors as the store keeps them."""

import numpy as np

from mcp_memory.embedding.quantize import quantize_rows


def coded(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors float32 (n, d) as int8 rows (n, d) and their scales (n,)."""
    scales, codes = quantize_rows(vectors)
    return np.frombuffer(b"".join(codes), np.int8).reshape(vectors.shape), np.array(scales, np.float32)
