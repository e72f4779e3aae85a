"""The short form of the torture; the long one is run by hand (`tests/integration/sharing_torture.py`)."""

import pytest

from tests.integration.sharing_torture import torture
from tests.log_servers import started

SECONDS, MACHINES, SEED = 8.0, 2, 5


@pytest.mark.parametrize("kind", ["sqld", "postgres"])
def test_killed_machines_and_servers_and_a_bad_network_lose_and_double_nothing(kind: str) -> None:
    started(kind).stop()  # skips where there is no such server
    counts, problems = torture(kind, MACHINES, SECONDS, SEED)
    assert problems == []
    assert counts["acknowledged: episode"] > 0
    assert counts["machines killed"] > 0
