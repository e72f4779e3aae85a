"""Machines that share a memory come to say the same, whatever happens; and would not without any one of the guards."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.sharing_simulation import simulate

SEEDS = range(10)
# Of taking over open episodes; of a vote that came before its episode; of a third machine that had steps which no log has since; of a
# tombstone that came to a machine with votes on it; of steps that were told again out of their order, or that the record of a
# completed episode has not; of a log that went back and has the later ones of some steps alone.
ONCE_WRONG = (36, 340, 1_025, 50_068, 80_083, 130_340, 130_075, 170_573, 211_342, 301_844, 431_625, 500_056)


@pytest.mark.parametrize("seed", [*SEEDS, *ONCE_WRONG])
def test_whatever_happens_all_machines_say_the_same_in_the_end(seed: int) -> None:
    assert simulate(seed) == []


@settings(max_examples=5, deadline=None)
@given(st.integers(10, 2**32))
def test_whatever_happens_by_any_script_all_machines_say_the_same_in_the_end(seed: int) -> None:
    assert simulate(seed) == []


@pytest.mark.parametrize("guard", ["fence", "unique", "lock"])
def test_without_a_guard_they_do_not(guard: str) -> None:
    assert any(simulate(seed, guard) for seed in SEEDS)
