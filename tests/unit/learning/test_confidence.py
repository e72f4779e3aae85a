"""How far a pattern is to be trusted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.pattern import Evidence, Pattern, PatternKind
from mcp_memory.domain.votes import VoteStats
from mcp_memory.learning.patterns.confidence import (
    DAY_MS,
    Usage,
    Validation,
    best_first,
    explain,
    holding_factor,
    rate_difference,
    retirement,
    validate,
    wilson,
    with_confidence,
)

NOW_MS = 1_000 * DAY_MS


def pattern(successes: int, failures: int, *, age_days: float = 0.0, corrected_by: str | None = None) -> Pattern:
    at_ms = NOW_MS - int(age_days * DAY_MS)
    return Pattern(
        "pat_1",
        PatternKind.TOOL_SEQUENCE,
        "p",
        {},
        "a then b",
        "",
        successes + failures,
        successes,
        failures,
        at_ms,
        at_ms,
        corrected_by=corrected_by,
    )


def confidence(p: Pattern, **known: object) -> float:
    return float(explain(p, now_ms=NOW_MS, half_life_days=180.0, **known).confidence)  # type: ignore[arg-type]


def evidence(*successes: bool) -> list[Evidence]:
    return [Evidence("pat_1", f"e{i}", s, 1.0, i) for i, s in enumerate(successes)]


@given(st.integers(0, 200), st.integers(0, 200))
def test_wilsons_interval_holds_the_rate_and_stays_within_0_and_1(successes: int, failures: int) -> None:
    low, high = wilson(successes, successes + failures)
    assert 0.0 <= low <= high <= 1.0
    if successes + failures:
        assert low - 1e-9 <= successes / (successes + failures) <= high + 1e-9


def test_wilsons_bounds_match_the_published_example() -> None:
    # Newcombe (1998), table I: 81 of 263 at 95 %: 0.2553 to 0.3662.
    assert wilson(81, 263, 1.959964) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_newcombes_difference_matches_the_published_example() -> None:
    # Newcombe (1998), table II (a): 56/70 - 48/80 by method 10: 0.0524 to 0.3339.
    assert rate_difference(56, 70, 48, 80, 1.959964) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert rate_difference(0, 0, 3, 4) == (0.0, -1.0, 1.0)


def test_more_evidence_for_the_same_rate_is_trusted_more() -> None:
    values = [confidence(pattern(n, 0)) for n in (0, 1, 3, 10, 100)]
    assert values == sorted(values)
    assert values[0] == 0.0
    assert values[-1] > 0.95


def test_confidence_decays_with_age_at_read_time() -> None:
    assert confidence(pattern(5, 0)) > confidence(pattern(5, 0, age_days=180)) > confidence(pattern(5, 0, age_days=720))
    assert explain(pattern(4, 0, age_days=180), now_ms=NOW_MS, half_life_days=180.0).decayed_count == 2.0


def test_votes_move_it_and_one_vote_moves_it_little() -> None:
    plain = confidence(pattern(3, 1))
    one, many = (confidence(pattern(3, 1), votes=VoteStats(helped=n)) for n in (1.0, 10.0))
    against = confidence(pattern(3, 1), votes=VoteStats(hindered=2.0))
    assert against < plain < one < many
    assert one - plain < 0.3


def test_a_pattern_that_does_not_hold_on_later_episodes_loses_confidence() -> None:
    broke, held = validate(evidence(True, True, True, False, False, False)), validate(evidence(True, True, True, True))
    assert broke.predicted > broke.happened
    assert holding_factor(held) == 1.0 > holding_factor(broke)
    assert confidence(pattern(3, 3), validation=broke) < confidence(pattern(3, 3))


def test_evidence_is_validated_in_the_order_of_time() -> None:
    pieces = evidence(True, True, False, False)
    assert validate(reversed(pieces)) == validate(pieces)
    assert validate([]) == Validation()


def test_a_pattern_that_hurts_is_retired_and_says_so() -> None:
    hurts = Usage(used=20, used_successes=2, unused=20, unused_successes=15)
    numbers = explain(pattern(9, 1), now_ms=NOW_MS, half_life_days=180.0, usage=hurts)
    assert numbers.retired
    assert "2 of 20" in numbers.retired_because
    assert with_confidence(pattern(9, 1), numbers).retired
    assert "hindered" in retirement(VoteStats(hindered=6.0), Usage())


def test_two_unlucky_uses_retire_nothing() -> None:
    assert retirement(VoteStats(hindered=1.0), Usage(used=2, used_successes=0, unused=2, unused_successes=2)) == ""


def test_a_corrected_pattern_is_outranked() -> None:
    right, wrong = pattern(2, 1), pattern(20, 0, corrected_by="use c instead")
    assert confidence(right) > confidence(wrong)


def test_best_first_leaves_retired_patterns_out() -> None:
    low, high, gone = (
        replace(pattern(1, 0), id=i, confidence=c, retired=r) for i, c, r in (("a", 0.2, False), ("b", 0.9, False), ("c", 1.0, True))
    )
    assert [p.id for p in best_first([low, gone, high])] == ["b", "a"]
