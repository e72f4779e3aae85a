"""Reward propagated back to the steps."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Step, StepStatus
from mcp_memory.learning.reading.step_values import key_steps, step_values


def episode(*steps: Step, kind: OutcomeKind = OutcomeKind.SUCCESS, artifacts: tuple[str, ...] = ()) -> Episode:
    return Episode("e", "p", "t", steps=steps, step_count=len(steps), outcome=Outcome(kind, artifacts=artifacts))


def bad(tool: str) -> Step:
    return Step(tool, error="boom", status=StepStatus.ERROR)


@given(st.lists(st.builds(Step, tool=st.sampled_from("abc"), status=st.sampled_from(list(StepStatus))), max_size=15), st.floats(0, 1))
def test_there_is_one_value_a_step_between_minus_1_and_1(steps: list[Step], score: float) -> None:
    values = step_values(episode(*steps), score)
    assert len(values) == len(steps)
    assert all(-1.0 <= v <= 1.0 for v in values)


def test_the_step_that_overcame_an_error_is_worth_most_and_the_error_is_negative() -> None:
    values = step_values(episode(Step("look"), bad("make"), Step("edit"), Step("make"), Step("say")), 0.9)
    assert max(range(5), key=values.__getitem__) == 3
    assert values[1] < 0


def test_touching_an_artifact_counts() -> None:
    steps = (Step("edit", arguments={"path": "src/notes.py"}), Step("edit", arguments={"path": "src/app.py"}), Step("say"))
    values = step_values(episode(*steps, artifacts=("src/app.py",)), 0.9)
    assert values[1] > values[0]
    assert values[1] > values[2]


def test_credit_is_discounted_towards_the_beginning() -> None:
    values = step_values(episode(*(Step("a", arguments={"i": i}) for i in range(10))), 0.9)
    assert list(values[1:]) == sorted(values[1:])


def test_a_failure_is_charged_to_what_was_left_standing() -> None:
    values = step_values(episode(Step("a"), Step("b"), bad("c"), kind=OutcomeKind.FAILURE), 0.05)
    assert all(v < 0 for v in values)
    assert min(values) == values[2]


def keys_of(*steps: Step) -> list[str]:
    return [steps[i].key for i in key_steps(steps, [0.5] * len(steps))]


def test_key_steps_are_changes_errors_and_calls_that_acted_not_looks_and_talk() -> None:
    looked, said = Step("scroll_down", observation="lines"), Step("respond", arguments={"content": "You are welcome."})
    assert keys_of(looked, bad("pay"), Step("book_flight"), Step("calculate"), Step("think"), said) == ["pay", "book_flight"]
    assert keys_of(Step("edit"), Step("open"), Step("submit", arguments={"args": ""})) == ["edit"]
    assert keys_of(looked, said, Step("submit")) == []


def test_a_run_of_one_look_or_one_word_tells_what_it_was() -> None:
    assert keys_of(Step("find_flights")) == ["find_flights"]
    assert keys_of(Step("ask_archive")) == ["ask_archive"]


def test_where_nothing_acted_the_answer_and_what_was_looked_up_for_it_are_key_steps() -> None:
    answer = Step("finish", arguments={"arg": "Creature Comforts"})
    assert keys_of(Step("search", arguments={"arg": "Nick Park"}), Step("think"), answer) == ["search", "finish"]
    assert keys_of(Step("search"), Step("edit"), answer) == ["edit", "finish"]


def test_the_same_error_of_a_tool_and_changes_of_scratch_are_not_told_again() -> None:
    scratch = Step("create", arguments={"path": "reproduce_bug.py", "content": "x"})
    again = [Step("edit", arguments={"text": str(i)}, error="unexpected indent", status=StepStatus.ERROR) for i in range(3)]
    assert keys_of(scratch, *again) == ["edit"]


def test_key_steps_are_few_in_order_and_never_the_same_call_twice() -> None:
    steps = [Step("a", arguments={"x": i % 2}) for i in range(8)]
    assert key_steps(steps, [0.5] * 8) == (6, 7)
    assert key_steps([], []) == ()
    assert len(key_steps([Step("a", arguments={"x": i}) for i in range(8)], [0.1] * 8)) == 3
