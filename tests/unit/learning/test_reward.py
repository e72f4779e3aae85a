"""Episode to reward."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Step, StepStatus
from mcp_memory.learning.judging.reward import History, is_contradicted, outcome_value, reward
from mcp_memory.learning.reading.step_signs import read

STEP = st.builds(
    Step,
    tool=st.sampled_from(["bash", "edit", "submit"]),
    arguments=st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "git reset --hard"])),
    observation=st.sampled_from(["", "2 failed in 0.1s", "3 passed in 0.1s", "Answer is INCORRECT", "exit code 1"]),
    status=st.sampled_from(list(StepStatus)),
)
STEPS = st.lists(STEP, max_size=12).map(tuple)
HISTORIES = st.builds(
    History,
    step_counts=st.lists(st.integers(0, 5_000), max_size=8).map(tuple),
    durations_ms=st.lists(st.integers(0, 10**9), max_size=8).map(tuple),
    attempts=st.integers(0, 50),
)


def episode(kind: OutcomeKind, *steps: Step, ended_at_ms: int = 0) -> Episode:
    return Episode("e", "p", "task", steps=steps, step_count=len(steps), outcome=Outcome(kind), ended_at_ms=ended_at_ms)


@given(STEPS, HISTORIES, st.sampled_from(list(OutcomeKind)))
def test_the_score_and_every_component_are_between_0_and_1(steps: tuple[Step, ...], history: History, kind: OutcomeKind) -> None:
    judged = reward(episode(kind, *steps), history)
    assert set(judged.components) == {"outcome", "efficiency", "recovery", "quality", "novelty"}
    assert all(0.0 <= value <= 1.0 for value in (judged.score, *judged.components.values()))


@given(STEPS, HISTORIES, STEPS, HISTORIES)
def test_a_success_always_outranks_a_failure(good: tuple[Step, ...], h1: History, bad: tuple[Step, ...], h2: History) -> None:
    assert reward(episode(OutcomeKind.SUCCESS, *good), h1).score > reward(episode(OutcomeKind.FAILURE, *bad), h2).score


def test_a_success_contradicted_by_its_last_test_run_is_marked_down() -> None:
    work = (Step("edit", arguments={"f": "a"}), Step("pytest", observation="1 failed, 3 passed in 0.2s"))
    claimed, honest = reward(episode(OutcomeKind.SUCCESS, *work)), reward(episode(OutcomeKind.FAILURE, *work))
    fixed = reward(episode(OutcomeKind.SUCCESS, *work, Step("pytest", observation="4 passed in 0.2s")))
    assert is_contradicted(read(work))
    assert honest.score < claimed.score < 0.6 < fixed.score
    assert claimed.components["outcome"] < 1.0
    assert claimed.components["quality"] < 0.4


def test_efficiency_is_relative_to_the_memorys_own_history() -> None:
    run = episode(OutcomeKind.SUCCESS, *(Step(f"t{i}") for i in range(20)))
    short, none, long = (reward(run, History(step_counts=(n,) * 20)).components["efficiency"] for n in (5, 12, 80))
    assert short < none < long
    assert short < 0.15
    assert long > 0.85


def test_thin_history_moves_efficiency_only_a_little() -> None:
    run = episode(OutcomeKind.SUCCESS, *(Step(f"t{i}") for i in range(12)))
    none, one, many = (reward(run, History(step_counts=(4,) * n)).components["efficiency"] for n in (0, 1, 50))
    assert none == 0.5
    assert none > one > many
    assert none - one < (one - many)


def test_a_slow_run_is_less_efficient_where_durations_are_known() -> None:
    run = episode(OutcomeKind.SUCCESS, Step("a"), Step("b"), ended_at_ms=600_000)
    usual = History(step_counts=(2,) * 9, durations_ms=(10_000,) * 9)
    assert reward(run, usual).components["efficiency"] < reward(run, History(step_counts=(2,) * 9)).components["efficiency"]


def test_wasted_repeats_and_standing_errors_cost() -> None:
    clean = [Step("a", arguments={"x": i}) for i in range(6)]
    repeated = [*clean[:3], *[Step("a", arguments={"x": 0})] * 3]
    failing = [*clean[:5], Step("z", error="boom", status=StepStatus.ERROR)]
    scores = [reward(episode(OutcomeKind.SUCCESS, *steps)).score for steps in (clean, repeated, failing)]
    assert scores[0] > scores[1]
    assert scores[0] > scores[2]


def test_a_recovered_error_costs_less_than_one_left_standing() -> None:
    broken = Step("make", error="boom", status=StepStatus.ERROR)
    recovered = episode(OutcomeKind.SUCCESS, Step("a"), broken, Step("make"))
    standing = episode(OutcomeKind.SUCCESS, Step("a"), Step("make"), broken)
    assert reward(recovered).score > reward(standing).score


def test_abstaining_is_better_than_failing_and_worse_than_doing_part_of_it() -> None:
    scores = [reward(episode(kind, Step("a"))).score for kind in (OutcomeKind.FAILURE, OutcomeKind.ABSTAINED, OutcomeKind.PARTIAL)]
    assert scores == sorted(scores)


def test_a_partial_outcome_counts_by_what_was_completed() -> None:
    most = Outcome(OutcomeKind.PARTIAL, completed=("a", "b", "c"), failed=("d",))
    least = Outcome(OutcomeKind.PARTIAL, completed=("a",), failed=("b", "c", "d"))
    assert outcome_value(most) > 0.5 > outcome_value(least)


def test_the_first_attempt_at_a_task_is_newer_than_the_fifth() -> None:
    run = episode(OutcomeKind.SUCCESS, Step("a"))
    assert reward(run, History(attempts=0)).components["novelty"] == 1.0 > reward(run, History(attempts=4)).components["novelty"]


def test_an_episode_without_steps_has_a_reward() -> None:
    assert 0.7 <= reward(episode(OutcomeKind.SUCCESS)).score <= 1.0
