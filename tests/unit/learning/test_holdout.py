"""The control group."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.episode import Trace
from mcp_memory.learning.reports.holdout import in_holdout, report


def trace(i: int, *, success: bool, held_out: bool | None, external_id: str | None = None) -> Trace:
    digest = {} if held_out is None else {"holdout": held_out}
    outcome = "success" if success else "failure"
    return Trace(i, f"e{i}", "p", "t", "other", "", "", "", (), "", outcome, 0.9 * success, 0, 1, digest=digest, external_id=external_id)


@given(st.text(max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_membership_is_fixed_and_a_larger_share_keeps_its_members(episode_id: str, a: float, b: float) -> None:
    assert in_holdout(episode_id, a) == in_holdout(episode_id, a)
    assert not in_holdout(episode_id, min(a, b)) or in_holdout(episode_id, max(a, b))


def test_the_share_of_held_out_episodes_is_the_one_asked_for() -> None:
    members = sum(in_holdout(f"episode-{i}", 0.1) for i in range(10_000))
    assert 900 < members < 1_100


def test_the_report_compares_the_groups_with_an_interval() -> None:
    helped = [trace(i, success=i % 10 != 0, held_out=False) for i in range(60)]
    control = [trace(i, success=i % 3 == 0, held_out=True) for i in range(60, 90)]
    answer = report(helped + control, 0.3)
    assert answer.with_memory.success_rate == 0.9
    assert answer.without_memory.episodes == 30
    low, high = answer.interval
    assert 0 < low < answer.difference < high < 1
    assert answer.verdict == "episodes with memory succeed more often"


def test_imported_episodes_and_those_from_before_the_mode_are_not_counted() -> None:
    rows = [trace(0, success=True, held_out=None), trace(1, success=True, held_out=False, external_id="x/1")]
    answer = report(rows, 0.0)
    assert answer.with_memory.episodes == 0
    assert answer.interval == (-1.0, 1.0)
    assert answer.verdict.startswith("no control group")


def test_a_small_difference_is_not_called_one() -> None:
    rows = [trace(i, success=i % 2 == 0, held_out=i % 4 < 2) for i in range(20)]
    assert report(rows, 0.5).verdict == "no difference can be told yet"
