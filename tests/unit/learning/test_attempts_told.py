"""What attempts tell that neither changed a file nor gave an answer."""

from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Reflection, Step, StepStatus
from mcp_memory.learning.advice.attempts_told import told_as_recalled
from mcp_memory.learning.telling.successes_told import told_by_names
from mcp_memory.phrases.precedents import precedent

from .runs import episode

COMPLAINT, FAILURE = "Hi, my flight was delayed, please", OutcomeKind.FAILURE
TASK = "Serve `notebook` on port 8888 with a password"


def stuck(name: str, command: str, error: str, task: str = TASK) -> Episode:
    """A failure that ends with a command that never worked."""
    step = Step("bash", "pip install", {"command": command}, status=StepStatus.ERROR, error=error, index=0)
    standing = facts.Standing(error, step.key, (0,), command)
    made = replace(episode(name, [], OutcomeKind.FAILURE, task=task), steps=(step,), step_count=1)
    return replace(made, reflection=Reflection((), (standing,), ()))


def test_an_attempt_that_failed_is_told_with_what_it_never_got_to_work() -> None:
    (row,) = told_as_recalled(TASK, [stuck("a", "pip install notebook", "command timed out")])
    assert (row.worked, row.did, row.times, row.episode_id) == (
        False,
        ("never got `pip install notebook` to work: command timed out",),
        0,
        "a",
    )


def test_of_a_success_only_what_its_agent_noted_is_told() -> None:
    step = Step("bash", "maze", {"command": "maze 1"}, index=0)
    won = replace(episode("a", [], task=TASK), steps=(step,), step_count=1)
    assert told_as_recalled(TASK, [won]) == ()
    noted = replace(won, outcome=Outcome(OutcomeKind.SUCCESS, lessons=("Walk it breadth first.",)))
    assert told_as_recalled(TASK, [noted])[0].did[0] == "Walk it breadth first."


def test_another_case_that_is_asked_for_in_nearly_the_same_words_is_not_told() -> None:
    other = stuck("a", "pip install notebook", "command timed out", task=TASK.replace("8888", "9999"))
    assert told_as_recalled(TASK, [other]) == ()


def test_a_failure_is_told_with_what_it_lacked_of_what_worked() -> None:
    task = "Cancel bookings M20IZO and 59XX6W"
    both = [Step("cancel_booking", arguments={"id": key}, index=i) for i, key in enumerate(("M20IZO", "59XX6W"))]
    won = Precedent(True, ("cancel_booking “M20IZO”", "cancel_booking “59XX6W”"), "", 1, 1, "a")
    lost = replace(episode("b", [], OutcomeKind.FAILURE, task=task), steps=tuple(both[:1]), step_count=1)
    (row,) = told_as_recalled(task, [lost], [won])
    assert row.did == ("unlike what worked, without cancel_booking “59XX6W”",), "what both did tells nothing"
    elsewhere = replace(lost, steps=(Step("refund", arguments={"id": "M20IZO"}),))
    assert told_as_recalled(task, [elsewhere], [won])[0].did == ("did refund “M20IZO”",), "it went another way"


def sent(name: str, user: str, amount: int, outcome: OutcomeKind = OutcomeKind.SUCCESS) -> Episode:
    """An attempt that ends with a call for a customer."""
    step = Step("send_certificate", arguments={"user_id": user, "amount": amount}, index=0)
    return replace(episode(name, [], outcome, task=COMPLAINT), steps=(step,), step_count=1)


def test_of_successes_for_other_customers_the_call_is_told_by_the_names_of_its_arguments() -> None:
    attempts = [(sent("a", "mia_li_3668", 50), 0.97), (sent("b", "noah_muller_9847", 50), 0.93), (sent("c", "x_9", 100, FAILURE), 0.99)]
    (row,) = told_by_names("Hi, my flight was late, please", attempts, among=2)
    assert (row.worked, row.did, row.times, row.attempts, row.episode_id) == (
        True,
        ("did send_certificate(user_id, amount=50)",),
        2,
        2,
        "a",
    )
    assert row.alike < 1.0, "it is another customer's"
    (alone,) = told_by_names("Hi, my flight was late, please", [(sent("a", "mia_li_3668", 50), 1.0)], among=0)
    assert (alone.times, alone.attempts, alone.alike < 1.0) == (0, 0, True)


def test_what_failures_called_by_the_same_names_is_not_told_as_what_worked() -> None:
    won = [(sent("a", "mia_li_3668", 50), 0.97), (sent("b", "noah_muller_9847", 50), 0.93)]
    lost = [(sent("c", "ida_fox_1120", 50, FAILURE), 0.99), (sent("d", "tom_ode_7731", 70, FAILURE), 0.99)]
    task = "Hi, my flight was late, please"
    assert told_by_names(task, [*won, *lost], among=2) == (), "with other values, which are of their cases"
    others = [*lost[1:], (sent("e", "max_low_2214", 80, FAILURE), 0.99)]
    assert told_by_names(task, [*won, *lost, *others], among=2)[0].did == ("did send_certificate(user_id, amount=50)",)


def test_a_tool_that_works_no_longer_is_not_told_as_what_successes_called() -> None:
    attempts = [(sent("a", "mia_li_3668", 50), 0.97)]
    assert told_by_names("Hi, my flight was late, please", attempts, among=1, gone=["send_certificate"]) == ()


def test_that_a_success_changed_nothing_and_handed_the_work_over_is_told() -> None:
    passed = Step("transfer_to_human_agents", arguments={"summary": "a refund that the rules do not allow"}, index=0)
    made = replace(episode("a", [], task=COMPLAINT), steps=(passed,), step_count=1)
    others = [(made, 0.9), (replace(made, id="b"), 0.86)]
    (row,) = told_by_names("Hi, my flight was late, please", others, among=2)
    assert row.did == ("changed nothing, ended with transfer_to_human_agents",)


def test_that_successes_changed_nothing_is_not_told_where_failures_ended_so_as_well() -> None:
    task = "Hi, my flight was late, please"

    def replied(name: str, *looked: str, outcome: OutcomeKind = OutcomeKind.SUCCESS) -> tuple[Episode, float]:
        steps = [*(Step(tool, arguments={"id": "7"}) for tool in looked), Step("respond", arguments={"content": "I am sorry."})]
        made = replace(episode(name, [], outcome, task=COMPLAINT), steps=tuple(steps), step_count=len(steps))
        return made, 0.9

    won = [replied("a", "get_user"), replied("b", "get_user")]
    (row,) = told_by_names(task, [*won, replied("c", outcome=FAILURE)], among=2)
    assert row.did == ("changed nothing: only called get_user and replied",), "the failure looked nothing up"
    assert told_by_names(task, [*won, replied("c", "get_user", outcome=FAILURE)], among=2) == ()


def test_of_another_case_that_one_success_alone_changed_nothing_is_not_told() -> None:
    passed = Step("transfer_to_human_agents", arguments={"summary": "a refund that the rules do not allow"}, index=0)
    made = replace(episode("a", [], task=COMPLAINT), steps=(passed,), step_count=1)
    assert told_by_names("Hi, my flight was late, please", [(made, 0.9)], among=1) == ()
    others = [(made, 0.9), (sent("b", "mia_li_3668", 50), 0.9), (sent("c", "noah_muller_9847", 50), 0.9)]
    assert [row.did for row in told_by_names("Hi, my flight was late, please", others, among=3)] == [
        ("did send_certificate(user_id, amount=50)",)
    ]


def test_calls_that_were_made_several_times_are_told_with_how_often() -> None:
    steps = tuple(Step("cancel_booking", arguments={"booking_id": key}, index=i) for i, key in enumerate(("M20IZO", "59XX6W")))
    made = replace(episode("a", [], task=COMPLAINT), steps=steps, step_count=2)
    (row,) = told_by_names("Hi, my flight was late, please", [(made, 0.9)], among=1)
    assert row.did == ("did cancel_booking(booking_id) twice",)


def test_a_change_at_a_task_that_is_not_quite_this_one_says_how_alike_it_is() -> None:
    said = [precedent(True, ["edit cart.py:7: + 1"], "", 1, 1, alike) for alike in (1.0, 0.97, 0.86)]
    assert [text.partition(" (")[0] for text in said] == ["Worked at this task", "Worked at a task like this", "Worked at a task 86% alike"]
