"""The chance of success."""

from dataclasses import replace

import pytest

from mcp_memory.domain.episode import Context, OutcomeKind
from mcp_memory.learning.advice.outlook import OutlookEstimator
from mcp_memory.views.contexts import Standpoint
from mcp_memory.views.experience import Experience

from .runs import WEB, episode, trace_of

HERE = Standpoint("p", "web", "flask")


def memory(good: int, bad: int, context: Context = WEB) -> tuple[OutlookEstimator, Experience]:
    experience = Experience()
    experience.add([trace_of(episode(f"good{i}", ["a"], context=context)) for i in range(good)])
    experience.add([trace_of(episode(f"bad{i}", ["a"], OutcomeKind.FAILURE, context=context)) for i in range(bad)])
    return OutlookEstimator(experience), experience


def test_an_empty_memory_has_no_outlook() -> None:
    assert memory(0, 0)[0].outlook(HERE, []) is None


def test_without_similar_tasks_it_is_near_the_base_rate() -> None:
    assert memory(30, 10)[0].estimate(HERE, []).probability == pytest.approx(0.75, abs=0.05)


def test_similar_tasks_that_failed_lower_it_and_more_of_them_lower_it_more() -> None:
    outlook, _ = memory(20, 20)
    chances = [outlook.estimate(HERE, [(f"bad{i}", 1.0) for i in range(n)]).probability for n in (0, 1, 3, 10)]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < 0.1


def test_it_is_a_probability_and_says_on_how_many_it_rests() -> None:
    outlook = memory(5, 5)[0].outlook(HERE, [("good0", 0.9), ("bad0", 0.3), ("unknown", 1.0)])
    assert outlook is not None
    assert 0.0 < outlook.expected_success < 1.0
    assert outlook.based_on == 1


def test_it_counts_the_similar_episodes_that_succeeded() -> None:
    outlook = memory(5, 5)[0].outlook(HERE, [("good0", 0.9), ("good1", 0.3), ("bad0", 0.8), ("bad1", 0.7)])
    assert outlook is not None
    assert (outlook.succeeded, outlook.based_on) == (1, 3)


def test_dissimilar_episodes_hardly_count() -> None:
    outlook, _ = memory(20, 20)
    near, far = (outlook.estimate(HERE, [(f"bad{i}", s) for i in range(5)]).probability for s in (1.0, 0.2))
    assert near < 0.2 < 0.45 < far


def test_four_successes_are_no_certainty() -> None:
    outlook, _ = memory(4, 0)
    assert outlook.estimate(HERE, []).probability == pytest.approx((4 + 5 * 0.5) / (4 + 5), abs=0.005), "each episode counts once"
    assert outlook.estimate(HERE, [(f"good{i}", 1.0) for i in range(4)]).probability < 0.95


def test_what_happened_elsewhere_counts_while_there_is_little_here() -> None:
    elsewhere = Context(domain="shop", framework="rails")
    bad, good = (memory(n, 20 - n, elsewhere)[0].estimate(HERE, []).probability for n in (0, 20))
    assert bad < 0.2
    assert good > 0.8


def after_one_success(others: tuple[int, int], soundness: float | None = None) -> float:
    """The chance seen after one success at the very task, in a memory of so many other successes and failures."""
    _, experience = memory(*others)
    trace = trace_of(episode("same", ["a"], context=WEB))
    experience.add([replace(trace, digest={**trace.digest, **({} if soundness is None else {"quality": soundness})})])
    return OutlookEstimator(experience).estimate(HERE, [("same", 1.0)]).probability


def test_a_success_that_nobody_expected_counts_less_than_one_that_was_usual() -> None:
    unexpected, usual = after_one_success((0, 60)), after_one_success((60, 0))
    assert unexpected < 0.45, "half of it, if every word on an outcome were true"
    assert usual > 0.95


def test_a_success_that_its_own_steps_deny_counts_less() -> None:
    denied, plain, borne_out = (after_one_success((5, 20), soundness) for soundness in (0.1, None, 1.0))
    assert denied < plain < borne_out
