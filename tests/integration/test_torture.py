"""The short form of the torture; the long one is run by hand, see `torture.py`."""

from pathlib import Path

import pytest

from tests.integration.torture import crowd, kills

pytestmark = pytest.mark.timeout(300)  # servers start a dozen times; seconds each on a busy machine


def test_what_every_verb_and_hook_acknowledged_is_there_after_a_few_kills(tmp_path: Path) -> None:
    known = kills(tmp_path, 6, (10, 30), seed=7)
    assert known.hooks
    assert sum(known.calls.values()) > 60


def test_three_servers_with_every_verb_refuse_nothing_for_each_others_sake(tmp_path: Path) -> None:
    calls, refused = crowd(tmp_path, 3, 3.0, seed=7)
    assert not refused
    assert sum(calls.values()) > 10
