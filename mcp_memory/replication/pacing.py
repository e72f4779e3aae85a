"""When to look at a shared log again. Pure."""

SHORTEST_S, LONGEST_S = 0.25, 60.0
QUIET_SHARE = 0.05  # of the time that nothing happened: after a minute it is looked at every three seconds


def pause_s(quiet_s: float, failures: int, chance: float) -> float:
    """Return how long to wait.

    Args:
        quiet_s: Since anything was sent or came.
        failures: Failed turns in a row.
        chance: A random number in [0, 1): machines must not move in step.

    >>> pause_s(0, 0, 0.5), pause_s(100, 0, 0.5), pause_s(0, 20, 0.5)
    (0.25, 5.0, 60.0)
    """
    wanted = SHORTEST_S * 2.0 ** min(failures, 16) if failures else quiet_s * QUIET_SHARE
    return min(LONGEST_S, max(SHORTEST_S, wanted)) * (0.75 + chance / 2)
