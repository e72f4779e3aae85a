"""An embedder without a model, for tests: every word is a pseudo-random direction, a text is the sum of its words."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

_WORD = re.compile(r"\w+")


class HashEmbedder:
    """Deterministic on every machine; texts that share words are alike, nothing else is."""

    def __init__(self, dimension: int = 64) -> None:
        self.dimension = dimension

    @property
    def space(self) -> str:
        return f"test:hash:{self.dimension}"

    def embed(self, texts: Sequence[str], *, role: str = "document") -> np.ndarray:
        """Return unit vectors; a text without a word is embedded as one word of its own."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in _WORD.findall(text.lower()) or [""]:
                row += self._direction(word)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _direction(self, word: str) -> np.ndarray:
        seed = int.from_bytes(hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        return np.random.default_rng(seed).standard_normal(self.dimension, dtype=np.float32)
