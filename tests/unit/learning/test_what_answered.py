"""What of another run answered an error, as this run is told."""

from mcp_memory.domain.episode import Step, StepStatus
from mcp_memory.learning.advice.what_answered import what_answered

EMPTY = "Error: gift card balance is not enough"


def paid(by: str, error: str | None = None, ferry: str = "HAT110") -> Step:
    status = StepStatus.ERROR if error else StepStatus.OK
    return Step("move_booking", arguments={"booking_id": "EUJUY6", "ferry": ferry, "payment_id": by}, status=status, error=error)


def told(now: Step, run: str) -> str | None:
    steps = [paid("gift_card_7091239", EMPTY), paid("credit_card_9879898")]
    found = what_answered(steps, 0, 1, now, run, is_fixed=False, is_here=True, is_beaten=False)
    return found and found.text


def test_what_stood_in_the_place_of_a_thing_of_the_same_kind_is_told_where_the_run_has_it() -> None:
    now = paid("gift_card_7480005", EMPTY, "HAT052")
    said = "move_booking payment_id=credit_card_9879898 instead of payment_id=gift_card_7091239"
    assert told(now, "mia_li_3668 has gift_card_7480005 and credit_card_9879898") == said
    assert told(now, "mia_li_3668 has gift_card_7480005") is None
    assert told(paid("certificate_8544743", EMPTY, "HAT052"), "certificate_8544743, credit_card_9879898") is None


def test_an_edit_that_went_through_indented_otherwise_is_told_as_that() -> None:
    def edit(text: str, error: str | None = None) -> Step:
        shown = f"{error or ''}[File: /port/tides.py (90 lines total)]"
        status = StepStatus.ERROR if error else StepStatus.OK
        return Step("edit", arguments={"args": "7:9", "text": text}, observation=shown, status=status, error=error)

    error = "Refused: E999 SyntaxError: invalid syntax"
    steps = [edit("elif tide:\n    level = 1", error), edit("    elif tide:\n        level = 1")]
    found = what_answered(
        steps, 0, 1, edit("elif tide:\n    level = 2", error), "/port/tides.py", is_fixed=False, is_here=True, is_beaten=False
    )
    assert found is not None
    assert (found.text, found.names_failed) == ("edit text indented by 4 instead of text indented by 0", True)


def test_the_line_of_a_script_that_a_shell_took_for_its_own_is_told_with_what_stood_there_then() -> None:
    def script(line: str, error: str | None = None) -> Step:
        status = StepStatus.ERROR if error else StepStatus.OK
        return Step("bash", "python3", {"command": f'python3 -c "\nimport tides\n{line}\n"'}, status=status, error=error)

    error = "exit 2: /bin/sh: 1: Bad substitution"
    steps = [script("print(f'Level: ${level():.2f}')", error), script("print('Level: $%.2f' % level())")]
    found = what_answered(steps, 0, 1, script("print(f'Mean: ${mean()}')", error), "", is_fixed=False, is_here=True, is_beaten=False)
    assert found is not None
    assert found.text == "python3 with `print('Level: $%.2f' % level())` instead of `print(f'Level: ${level():.2f}')`"
    other = script("print(mean())", error)
    assert what_answered(steps, 0, 1, other, "", is_fixed=False, is_here=True, is_beaten=False) is None
