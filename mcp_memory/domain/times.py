"""Times since 1970 in the unit that whoever wrote them thought of."""

import math

# The years 1973 to 2286 in seconds, milliseconds, micro- and nanoseconds lie so far apart that a number tells which it is.
_UNITS = ((1e8, 1e10, "seconds", 1000.0), (1e14, 1e16, "microseconds", 1e-3), (1e17, 1e19, "nanoseconds", 1e-6))
_MAX_MS = 253_402_300_799_999  # the end of the year 9999


def as_milliseconds(value: float) -> tuple[int, str]:
    """Return (*value* as milliseconds since 1970, the unit it was in when that was another one).

    A number that is no time at all (infinite, negative, after the year 9999) is 0, which stands for an unknown time.

    >>> as_milliseconds(1_793_527_200_000), as_milliseconds(1_793_527_200), as_milliseconds(float("inf"))
    ((1793527200000, ''), (1793527200000, 'seconds'), (0, ''))
    """
    if not (isinstance(value, int) or math.isfinite(value)) or value < 0:
        return 0, ""
    for low, high, unit, factor in _UNITS:
        if low <= value < high:
            return int(value * factor), unit
    return (int(value), "") if value <= _MAX_MS else (0, "")
