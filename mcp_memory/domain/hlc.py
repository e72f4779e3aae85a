"""Hybrid logical clock: one whole number that follows the wall clock, never goes back, and orders what different machines did. Pure.

The upper bits are milliseconds since the epoch, the lower sixteen count what happened within one, or while the wall clock stood still or
went back. Two machines may give out the same number: the replica's id breaks the tie.
"""

COUNT_BITS = 16


def following(last: int, now_ms: int) -> int:
    """Return the reading after *last*: the wall clock's where it is ahead, else one more.

    >>> following(following(0, 5), 4) - following(0, 5)
    1
    """
    return max(last + 1, now_ms << COUNT_BITS)
