"""The short form of the fuzzing: the same inputs every time, seconds for each target."""

import pytest

from tests.fuzz.running import run
from tests.fuzz.targets import TARGETS

EXAMPLES = {"hook-events": 60, "spool-lines": 60, "interchange": 60, "frames": 60}
OTHERS = 150
SEED = 11


@pytest.mark.parametrize("name", TARGETS)
def test_strange_input_raises_nothing_hangs_nowhere_and_loses_nothing(name: str) -> None:
    assert run(name, EXAMPLES.get(name, OTHERS), SEED) > 0
