"""Which of several tasks are about as alike as the nearest: only their episodes are told in words. Pure."""

MARGIN, LEAST = 0.08, 0.4  # on the development split they keep 95 in 100 attempts at the task that is asked for, and 10 of the others


def near_from(nearest: float) -> float:
    """Return the similarity from which a task is as good as the nearest one, whose similarity is *nearest*.

    >>> round(near_from(0.9), 2), near_from(0.45), round(near_from(0.2), 2)
    (0.82, 0.4, 0.12)
    """
    least = nearest - MARGIN
    return max(least, LEAST) if nearest >= LEAST else least
