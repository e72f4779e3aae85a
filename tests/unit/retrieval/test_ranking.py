"""The pure half of ranking: what each component does to the order."""

import numpy as np
import pytest

from mcp_memory.config import RetrievalConfig
from mcp_memory.domain.episode import Trace
from mcp_memory.domain.query import Filter
from mcp_memory.retrieval import ranking
from mcp_memory.retrieval.ranking import Candidates

NOW_MS = 1_000 * ranking.DAY_MS
CONFIG = RetrievalConfig()
ANYTHING = Filter()


def trace(seq: int, **fields: object) -> Trace:
    said = {"domain": "", "language": "", "framework": "", "tags": (), "outcome": "success", "ended_at_ms": NOW_MS} | fields
    return Trace(seq=seq, id=f"e{seq}", project="p", task=f"task {seq}", task_type="other", agent="", reward=1.0, started_at_ms=0, **said)  # type: ignore[arg-type]


def totals(
    traces: list[Trace], where: Filter = ANYTHING, lexical: list[float] | None = None, votes: list[float] | None = None
) -> np.ndarray:
    scores = np.array(lexical or [1.0] * len(traces))
    candidates = Candidates(traces, scores, np.full(len(traces), np.nan))
    scored = ranking.score(candidates, where, votes or [0.0] * len(traces), NOW_MS, CONFIG)
    return scored.relevance + scored.worth


def test_z_scores_leave_unknown_entries_at_the_mean() -> None:
    z = ranking.z_scores(np.array([1.0, np.nan, 3.0]))
    assert z.tolist() == [-1.0, 0.0, 1.0]
    assert ranking.z_scores(np.array([2.0, 2.0])).tolist() == [0.0, 0.0]
    assert ranking.z_scores(np.array([])).tolist() == []


def test_values_that_are_all_about_alike_are_measured_by_the_least_spread() -> None:
    assert ranking.z_scores(np.array([0.5, 0.6]), least_spread=0.1).tolist() == pytest.approx([-0.5, 0.5])
    assert ranking.z_scores(np.array([0.2, 0.8]), least_spread=0.1).tolist() == pytest.approx([-1.0, 1.0])


def test_the_dense_weight_goes_to_the_words_where_there_are_no_vectors() -> None:
    candidates = Candidates([trace(1), trace(2)], np.array([2.0, 1.0]), np.array([np.nan, np.nan]))
    scored = ranking.score(candidates, Filter(), [0.0, 0.0], NOW_MS, CONFIG)
    assert scored.lexical.tolist() == [1.0, -1.0]
    assert scored.semantic.tolist() == [0.0, 0.0]


def test_of_equal_texts_the_success_comes_first() -> None:
    by_outcome = totals([trace(1, outcome="failure"), trace(2, outcome="partial"), trace(3), trace(4, outcome="abstained")])
    assert np.argsort(-by_outcome).tolist() == [2, 1, 3, 0]


def test_an_outcome_that_is_asked_for_counts_instead_of_success() -> None:
    by_outcome = totals([trace(1), trace(2, outcome="failure")], Filter(outcome="failure"))
    assert by_outcome[1] > by_outcome[0]


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        (Filter(framework="Django"), {"framework": "django"}),
        (Filter(domain="web"), {"domain": "web"}),
        (Filter(language="python"), {"language": "python"}),
        (Filter(tags=("urgent", "db")), {"tags": ("DB",)}),
        (Filter(since_ms=NOW_MS), {}),
    ],
)
def test_a_matching_context_comes_before_another_one(where: Filter, fields: dict[str, object]) -> None:
    plain = trace(1, ended_at_ms=NOW_MS - 1)
    scores = totals([plain, trace(2, **fields)], where)
    assert scores[1] > scores[0]


def test_the_task_type_other_says_nothing() -> None:
    assert ranking.context_matches(Filter(task_type="other"), [trace(1)]).tolist() == [0.0]


def test_of_equal_episodes_the_newer_comes_first_but_only_just() -> None:
    old, new = totals([trace(1, ended_at_ms=NOW_MS - 900 * ranking.DAY_MS), trace(2)])
    assert 0 < new - old <= CONFIG.recency_weight


def test_votes_move_the_score_both_ways() -> None:
    down, none, up = totals([trace(1), trace(2), trace(3)], votes=[-0.25, 0.0, 0.25])
    assert down < none < up


def test_an_attempt_is_supported_by_the_best_attempt_at_the_same_task() -> None:
    likeness = np.array([[1, 0.8, 0.1], [0.8, 1, 0.1], [0.1, 0.1, 1.0]])
    supported = ranking.supported(np.array([3.0, 1.0, 2.0]), likeness)
    assert supported.tolist() == pytest.approx([3.0, 1.0 + ranking.SUPPORT * 2.0, 2.0])


def exchanged(relevance: list[float], worth: list[float], soundness: list[float], likeness: np.ndarray) -> list[float]:
    near, worths = np.array(relevance), np.array(worth)
    found: list[float] = ranking.exchanged(near, worths, np.array(soundness).__getitem__, likeness, near + worths).tolist()
    return found


SAME = np.ones((2, 2))


def test_of_attempts_at_one_task_the_one_whose_steps_look_sound_takes_the_best_of_their_places() -> None:
    likeness = np.array([[1, 1.0, 0.9], [1.0, 1, 0.9], [0.9, 0.9, 1.0]])
    found = exchanged([3.0, 2.8, 2.9], [0.0, 0.0, 0.0], [0.2, 1.0, 1.0], likeness)
    assert found == [2.8, 3.0, 2.9], "another task's attempt stays where it was"


def test_sound_steps_do_not_make_up_for_a_failure() -> None:
    assert exchanged([3.0, 3.0], [1.0, 0.0], [0.0, 1.0], SAME) == [4.0, 3.0]


def test_a_word_more_of_the_query_does_not_make_the_better_attempt_at_the_same_task() -> None:
    assert exchanged([3.4, 3.0], [0.0, 0.0], [0.5, 0.6], SAME) == [3.0, 3.4]
    assert exchanged([3.0, 3.4], [0.0, 0.0], [0.5, 0.5], SAME) == [3.0, 3.4], "unless nothing else tells them apart"


def test_an_hour_of_age_does_not_make_the_better_attempt_at_the_same_task() -> None:
    an_hour = CONFIG.recency_weight * (1 - 0.5 ** (1 / 24 / CONFIG.recency_half_life_days))
    assert exchanged([3.0, 3.4], [an_hour, 0.0], [0.5, 0.5], SAME) == pytest.approx([3.0 + an_hour, 3.4])


def test_an_attempt_that_is_clearly_nearer_stays_before_others_at_the_same_task() -> None:
    assert exchanged([6.0, 3.0], [0.0, 1.0], [0.5, 0.6], SAME) == [6.0, 4.0]


def test_an_outcome_counts_in_full_between_tasks_that_are_alike_and_by_half_between_others() -> None:
    likeness = np.array([[1.0, 0.8, 0.1], [0.8, 1.0, 0.1], [0.1, 0.1, 1.0]])
    relevance = np.array([3.0, 2.5, 2.5])
    assert ranking.compared(np.array([0.0, 1.0, 1.0]), relevance, likeness).tolist() == [0.0, 1.0, 0.5]
    assert ranking.compared(np.array([1.0, 0.0, 0.0]), relevance, likeness).tolist() == [1.0, 0.0, 0.5]


def test_further_attempts_at_a_task_stand_beneath_it_and_before_less_similar_tasks() -> None:
    assert ranking.order(np.array([4.2, 5.0, 4.8, 4.9])).tolist() == [1, 3, 2, 0]


def test_scores_are_between_nought_and_one() -> None:
    assert 0 < ranking.to_unit(-9) < ranking.to_unit(ranking.TYPICAL_MATCH) == 0.5 < ranking.to_unit(9) < 1
