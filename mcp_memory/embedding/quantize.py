"""Unit vectors as int8 rows, the form in which the durable tier keeps them: vector = codes * scale, one scale per row."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LIMIT = 127  # symmetric, so that -x is coded as minus the code of x


def quantize_rows(vectors: "np.ndarray") -> tuple[list[float], list[bytes]]:
    """Return the scale and the codes (dimension bytes, int8) of every row of *vectors* (float32, shape (n, dimension)).

    A decoded component is off by at most half a scale; the cosine of a unit vector to its decoded self is above 0.9999.
    An all-zero row has scale 1. Uses array methods only, so that importing this module does not load numpy.
    """
    scales = abs(vectors).max(axis=1) / LIMIT
    scales[scales == 0] = 1
    codes = (vectors / scales[:, None]).round().astype("int8")
    return [float(scale) for scale in scales], [row.tobytes() for row in codes]
