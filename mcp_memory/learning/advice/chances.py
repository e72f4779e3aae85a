"""How likely each next tool is after a failure: what the error says and what the run says, and how far both can be believed. Pure."""

import math
from collections.abc import Sequence

import numpy as np

from mcp_memory.views.columns import Floats

RUN_SHARE = 0.5  # of the run so far against the error, in a long run
# Chances after a failure as they came true: the power of their odds, nats off, nats off for the log of the run's steps and of the failures
# in a row. Fitted on left-out episodes of the memory, 1,251 failed steps (docs/measurements.md).
SOBER_POWER, SOBER, SOBER_RUN, SOBER_IN_A_ROW = 0.75, 0.2, 0.3, 0.17
_FLOOR = 1e-4


def blended(scores: Floats, following: Floats, steps: int) -> Floats:
    """Return what the error says together with what the run says: the longer it is the more; of a single failed step only the error.

    Args:
        scores: Per tool number, after failures like the last one.
        following: Per tool number, after states like this one; it may know more tools.
        steps: Of the run so far.
    """
    share = RUN_SHARE * (1.0 - 1.0 / max(1, steps))
    blend = np.exp(np.log(np.pad(scores, (0, len(following) - len(scores))) + _FLOOR) + share * np.log(following + _FLOOR))
    return np.asarray(blend / blend.sum())


def sobered(chances: Floats, failed: Sequence[bool]) -> Floats:
    """Return chances after a failure as they came true: multiplying two sources that are not independent overstates the surest.

    Args:
        chances: As `blended` gives them.
        failed: Of each step of the run so far.
    """
    in_a_row = next((i for i, step_failed in enumerate(reversed(failed)) if not step_failed), len(failed))
    nats = SOBER + SOBER_RUN * math.log(max(1, len(failed))) + SOBER_IN_A_ROW * math.log(max(1, in_a_row))
    odds = np.clip(chances, 1e-9, 1 - 1e-9)
    return np.asarray(1.0 / (1.0 + ((1.0 - odds) / odds) ** SOBER_POWER * np.exp(nats)))
