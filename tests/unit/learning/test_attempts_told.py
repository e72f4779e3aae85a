"""What attempts tell that neither changed a file nor gave an answer."""

from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.answers import Precedent
from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Reflection, Step, StepStatus
from mcp_memory.learning.advice.attempts_told import told_as_recalled

from .runs import episode

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
    assert row.did == ("did cancel_booking “M20IZO”", "unlike what worked, without cancel_booking “59XX6W”")
    elsewhere = replace(lost, steps=(Step("refund", arguments={"id": "M20IZO"}),))
    assert told_as_recalled(task, [elsewhere], [won])[0].did == ("did refund “M20IZO”",), "it went another way"
