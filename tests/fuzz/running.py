"""One target for a number of inputs: every input within a second of processor time."""

import tempfile
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.targets import TARGETS

HANG_S = 1.0  # of processor time of this process; a server of its own is waited for half a minute


def run(name: str, examples: int, number: int, until: float = float("inf")) -> int:
    """Give a target *examples* inputs, those of seed *number*; return how many it took before *until*, a reading of the monotonic clock.

    Raises what the target raised, for the smallest input that Hypothesis finds to raise it.
    """
    taken = 0

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, TARGETS[name](Path(folder)) as target:

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        @seed(number)
        @given(target.inputs)
        def take(drawn: Any) -> None:
            nonlocal taken
            if time.monotonic() > until:
                return
            started = time.process_time()
            target.take(drawn)
            spent = time.process_time() - started
            assert spent < HANG_S, f"{spent:.1f} s for one input"
            taken += 1

        take()
    return taken
