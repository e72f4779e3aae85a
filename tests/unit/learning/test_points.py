"""What earlier attempts tell whoever is about to do their task."""

from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, FileUse, OutcomeKind, Reflection, Step, StepStatus, Use
from mcp_memory.learning.telling.changes_told import ToldChanges
from mcp_memory.learning.telling.points import points_of
from mcp_memory.views.experience import Experience

from .runs import episode

TASK = "The voucher of `Cart` is not taken off"
FAILURE = OutcomeKind.FAILURE


def attempt(
    name: str, *steps: Step, outcome: OutcomeKind = OutcomeKind.SUCCESS, read: tuple[str, ...] = (), unchanged: bool = False
) -> Episode:
    placed = tuple(replace(step, index=i) for i, step in enumerate(steps))
    paths = dict.fromkeys(str(path) for step in placed if step.tool == "edit" and not step.failed and (path := step.arguments.get("path")))
    files = (*(FileUse(path, Use.CHANGED) for path in paths), *(FileUse(path, Use.READ) for path in read))
    reflection = Reflection((), (facts.Unchanged(("repro.py",)),) if unchanged else (), ())
    made = replace(episode(name, [], outcome, task=TASK), steps=placed, step_count=len(placed), files=files)
    return replace(made, reflection=reflection)


def edit(old: str, new: str, path: str = "shop/cart.py") -> Step:
    return Step("edit", arguments={"path": path, "old": old, "new": new})


def told(*attempts: Episode, similarity: float = 1.0) -> list[tuple[str, ...]]:
    points = points_of([(made, similarity) for made in attempts], TASK)
    return [points[made.id] for made in attempts]


def test_the_code_that_was_changed_is_told_though_a_comment_was_changed_after_it() -> None:
    made = attempt("a", edit("return total", "return total - voucher"), edit("# cents", "# cents of the voucher"))
    assert told(made) == [("changed shop/cart.py: - return total + return total - voucher",)]


def test_the_same_change_at_another_line_is_told_once() -> None:
    shown = [Step("open", observation=f"[File: /r/cart.py (9 lines total)]\n{n}:return total\n{n + 1}:") for n in (3, 4)]
    new = [
        Step("edit", arguments={"args": f"{n}:{n}", "text": "return total - voucher"}, observation="[File: /r/cart.py (9 lines total)]")
        for n in (3, 4)
    ]
    first, second = (replace(attempt(name, *steps), files=()) for name, *steps in (("a", shown[0], new[0]), ("b", shown[1], new[1])))
    assert told(first, second) == [("changed /r/cart.py:3: - return total + return total - voucher",), ()]


def test_of_failures_that_left_a_part_of_a_change_or_put_its_message_otherwise_the_one_change_is_told() -> None:
    text = 'raise CartError("No voucher can be used {} with a cart that is empty.")'
    whole = attempt("a", edit("return total", text.format("together")), edit("cents = 0", "cents = 1"), outcome=FAILURE)
    part = attempt("b", edit("cents = 0", "cents = 1"), outcome=FAILURE)
    put = attempt("c", edit("return total", text.format("")), edit("cents = 0", "cents = 1"), outcome=FAILURE)
    assert [bool(lines) for lines in told(whole, part, put)] == [True, False, False]
    assert [bool(lines) for lines in told(part, whole)] == [True, True], "the whole is more than its part"


def test_a_success_whose_lines_tell_nothing_names_the_file() -> None:
    assert told(attempt("a", edit("# old", "# new"))) == [("changed shop/cart.py",)]
    assert told(attempt("a", edit("# old", "# new"), outcome=FAILURE)) == [()]


def test_tests_are_told_only_where_no_code_was_changed() -> None:
    beside = (edit("# old", "# new"), edit("assert x == 1", "assert x == 2", "tests/test_cart.py"))
    assert told(attempt("a", *beside)) == [("changed shop/cart.py",)]
    assert told(attempt("a", *beside, outcome=FAILURE)) == [()]
    both = attempt("a", edit("x = 1", "x = 2"), edit("assert x == 1", "assert x == 2", "tests/test_cart.py"))
    assert told(both) == [("changed shop/cart.py: - x = 1 + x = 2",)]


def test_that_nothing_was_changed_is_told_with_what_was_tried() -> None:
    opened = Step("open", arguments={"path": "shop/cart.py"}, observation="def total(): ...")
    looked = attempt("a", opened, outcome=FAILURE, read=("shop/cart.py",), unchanged=True)
    assert told(looked) == [("changed nothing; had read shop/cart.py",)]
    error = "SyntaxError: unexpected indent"
    refused = Step(
        "edit",
        arguments={"args": "3:3", "text": "    return round(total, 2)\nend_of_edit"},
        observation="[File: /r/shop/cart.py (9 lines)]",
        status=StepStatus.ERROR,
        error=error,
    )
    tried = replace(attempt("b", opened, outcome=FAILURE, read=("shop/cart.py",), unchanged=True))
    tried = replace(tried, steps=(*tried.steps, refused))
    assert told(tried) == [(f"changed nothing: its edit of shop/cart.py:3 was refused with “{error}”: + return round(total, 2)",)]
    assert told(attempt("c", outcome=FAILURE, unchanged=True)) == [()], "nobody knows what it tried"


def test_commands_of_a_failure_are_not_told_without_what_was_wrong_with_them() -> None:
    install = Step("bash", "pip install", {"command": "pip install babel"})
    assert told(attempt("a", install, outcome=FAILURE)) == [()]
    assert told(attempt("a", install)) == [("did `pip install babel`",)]


def test_what_only_failures_did_is_told_without_of_how_many() -> None:
    cancelled = [attempt(name, Step("cancel", arguments={"booking": "B7"}), outcome=FAILURE) for name in "bcd"]
    worked = attempt("a", Step("change", arguments={"booking": "B7"}))
    assert told(worked, *cancelled)[0][-1] == "unlike it, 3 attempts that did not succeed called cancel"


def test_what_an_episode_changed_is_read_once() -> None:
    made = attempt("a", edit("x = 1", "x = 2"))
    known = Experience().derived(ToldChanges)
    assert known.of(made) is known.of(made)


def test_a_call_that_worked_with_other_arguments_is_no_dead_end() -> None:
    worked = Step("bash", "tool", {"command": "tool a.json"})
    usage = Step("bash", "tool", {"command": "tool"}, status=StepStatus.ERROR, error="exit 1: Usage: tool FILE")
    for steps, lines in (((usage,), ("never got `tool` to work: exit 1: Usage: tool FILE",)), ((worked, usage), ())):
        standing = facts.Standing("exit 1: Usage: tool FILE", "bash:tool", (len(steps) - 1,), "bash `tool`")
        assert told(replace(attempt("a", *steps, outcome=FAILURE), reflection=Reflection((), (standing,), ()))) == [lines]


def test_code_typed_into_a_shell_is_not_told_as_a_call_that_never_worked() -> None:
    error = "/bin/bash: line 1: syntax error near unexpected token `('"
    typed = Step("bash", "if", {"command": "if imported or getattr(a, 'b'):"}, status=StepStatus.ERROR, error=error)
    missing = Step("bash", "tool", {"command": "tool -a"}, status=StepStatus.ERROR, error="bash: tool: command not found")
    standing = tuple(facts.Standing(step.error or "", step.key, (i,)) for i, step in enumerate((typed, missing)))
    made = replace(attempt("a", typed, missing, outcome=FAILURE), reflection=Reflection((), standing, ()))
    assert told(made) == [("never got `tool -a` to work: bash: tool: command not found",)]
    alone = replace(attempt("a", typed, outcome=FAILURE), reflection=Reflection((), standing[:1], ()))
    assert told(alone) == [("changed nothing: typed code into the shell, which is no edit (“if imported or getattr(a, 'b'):”)",)]


REPRO = Step("create", arguments={"path": "reproduce_bug.py", "content": "print(1)"})
OPENED = Step("open", arguments={"path": "shop/cart.py"}, observation="[File: /r/shop/cart.py (9 lines total)]\n1:total")


def lost(name: str, *steps: Step) -> Episode:
    """Return a failure whose files are read off its steps."""
    return replace(attempt(name, *steps, outcome=FAILURE), files=None)


def test_a_failure_that_left_no_change_tells_what_it_had_read() -> None:
    assert told(lost("a", OPENED, Step("submit"))) == [("changed nothing; had read shop/cart.py",)]


def test_of_a_file_that_a_failure_made_is_told_what_in_it_is_of_the_task_and_nothing_of_one_to_try_something_out() -> None:
    assert told(lost("a", REPRO, Step("submit"))) == [("changed nothing: left only reproduce_bug.py",)]
    for content, said in (("import os\ncart.voucher = 2", ", made shop/rounding.py: cart.voucher = 2"), ("import os", "")):
        made = Step("create", arguments={"path": "shop/rounding.py", "content": content})
        assert told(lost("a", OPENED, made)) == [(f"changed nothing that was there{said}; had read shop/cart.py",)]


def test_of_failures_that_left_no_change_the_same_is_told_once_and_nothing_where_another_left_one() -> None:
    idle = [lost(name, OPENED, Step("submit")) for name in "ab"]
    assert told(*idle) == [("this and 1 other changed nothing; had read shop/cart.py",), ()]
    assert told(*idle, attempt("c", edit("a = 1", "a = 2"), outcome=FAILURE))[:2] == [(), ()]
    assert told(*idle, attempt("c", edit("a = 1", "a = 2")))[:2] == [(), ()]


def test_a_failure_that_may_have_written_what_no_call_names_is_not_said_to_have_changed_nothing() -> None:
    assert told(lost("a", OPENED, Step("bash", arguments={"command": "python fix.py && git apply fix.patch"}))) == [()]


def test_a_failure_that_gave_a_command_of_which_nobody_knows_what_it_wrote_is_not_said_to_have_changed_nothing() -> None:
    encrypted = Step("bash", arguments={"command": "rencrypt data/a.txt -o out/a.txt"})
    tests = Step("bash", arguments={"command": "python -m pytest"})
    posted = Step("create_issue", arguments={"title": "The voucher is not taken off"})
    assert told(lost("a", OPENED, encrypted)) == [()]
    assert told(lost("a", OPENED, posted)) == [("did create_issue “The voucher is not taken off”",)]
    assert told(lost("a", OPENED, posted, encrypted)) == [()]
    assert told(lost("a", OPENED, tests)) == [("changed nothing; had read shop/cart.py",)]


def test_an_edit_that_was_meant_for_another_file_and_went_through_there_is_no_refused_change() -> None:
    text = {"args": "8:8", "text": 'print("done")'}
    refused = Step(
        "edit", arguments=text, status=StepStatus.ERROR, error="E999", observation="E999\n[File: /r/shop/cart.py (9 lines total)]"
    )
    made = Step("edit", arguments=text, observation="[File: /r/reproduce_bug.py (9 lines total)]")
    assert told(lost("a", OPENED, REPRO, refused, made)) == [("changed nothing: left only reproduce_bug.py; had read shop/cart.py",)]


def test_a_failure_that_put_its_change_back_tells_so() -> None:
    back = (OPENED, edit("return total", "return 2 * total"), edit("return 2 * total", "return total"))
    assert told(lost("a", *back)) == [("changed nothing: put back its edits of shop/cart.py",)]


def test_a_failure_that_only_looked_tells_its_last_look_or_the_call_that_failed() -> None:
    look = Step("search", arguments={"query": "Gator Country"}, observation="a band")
    missed = replace(look, arguments={"query": "Gators"}, status=StepStatus.ERROR, error="No such page")
    assert told(lost("a", look)) == [("changed nothing: only looked, last with search “Gator Country”",)]
    assert told(lost("a", look, missed)) == [("ended with search “Gators”, which failed with “No such page”",)]


def test_a_failure_tells_whom_it_handed_the_work_to() -> None:
    look = Step("get_user", arguments={"user": "mia"}, observation="{}")
    assert told(lost("a", look, Step("transfer_to_human", arguments={"why": "she has no voucher"}))) == [
        ("changed nothing, ended with transfer_to_human “she has no voucher”",)
    ]


def test_edits_that_were_refused_are_told_whatever_else_the_run_wrote_for_itself() -> None:
    refused = Step("edit", arguments={"path": "shop/cart.py", "args": "1:1", "text": "total ="}, status=StepStatus.ERROR)
    refused = replace(refused, error="E999 SyntaxError", observation="E999 SyntaxError\n[File: /r/shop/cart.py (9 lines total)]")
    assert told(lost("a", OPENED, refused)) == [
        ("changed nothing: its edit of shop/cart.py:1 was refused with “E999 SyntaxError”: + total =",)
    ]


def test_that_only_some_were_refused_their_edits_is_said() -> None:
    refused = Step("edit", arguments={"path": "shop/cart.py", "args": "1:1", "text": "total ="}, status=StepStatus.ERROR)
    refused = replace(refused, error="E999 SyntaxError", observation="E999 SyntaxError\n[File: /r/shop/cart.py (9 lines total)]")
    said = "this and 1 other changed nothing: in 1 of them an edit of shop/cart.py:1 was refused with “E999 SyntaxError”: + total ="
    assert told(lost("a", OPENED, refused), lost("b", OPENED, Step("submit"))) == [(said,), ()]


def test_a_failure_at_a_task_that_is_only_alike_tells_nothing_of_how_it_ended() -> None:
    assert told(lost("a", OPENED, Step("submit")), similarity=0.7) == [()]


def test_the_tests_that_failed_in_the_end_are_named() -> None:
    output = "FAILED tests/test_cart.py::test_refund - assert 1 == 2\n1 failed, 6 passed in 0.1s"
    ran = Step("bash", "pytest", {"command": "pytest"}, observation=output, status=StepStatus.ERROR)
    made = attempt("a", edit("return total", "return total - voucher"), ran, outcome=OutcomeKind.PARTIAL)
    made = replace(made, reflection=Reflection((), (facts.TestsFailed(1, 7, 1, False),), ()))
    assert told(made)[0][-1] == "1 of 7 tests failed: test_refund"
    assert told(made, attempt("b", edit("return total", "return round(total)")))[0] == ()


def test_what_an_agent_said_it_had_not_done_is_told_of_what_did_not_succeed() -> None:
    made = attempt("a", edit("return total", "return total - voucher"), outcome=OutcomeKind.PARTIAL)
    assert made.outcome is not None
    made = replace(made, outcome=replace(made.outcome, failed=("the refund", "its test")))
    assert told(made)[0][0] == "left undone: the refund; its test"


def test_that_a_look_for_something_else_found_it_is_not_told_as_the_answer_to_one_that_found_nothing() -> None:
    missed = Step("search", arguments={"q": "Ann Marie Lee"}, status=StepStatus.ERROR, error="Could not find [Ann Marie Lee]")
    for other, lines in (("Bo Marie Lee", 0), ("Ann Lee", 0), ("Marie Lee", 1)):
        found = replace(missed, arguments={"q": other}, status=StepStatus.OK, error=None)
        got_on = facts.Overcome(missed.error or "", "search", (0,), 1, "search", 1)
        made = replace(attempt("a", missed, found), reflection=Reflection((got_on,), (), ()))
        assert len([line for line in told(made)[0] if "went through" in line]) == lines, other


def test_calls_before_those_that_are_told_are_marked() -> None:
    calls = [Step(f"book_{n}", arguments={"seat": n}) for n in range(8)]
    assert told(attempt("a", *calls[:6]))[0][0].startswith("did book_0 seat=0; book_1")
    assert told(attempt("a", *calls))[0][0].startswith("did …; book_2 seat=2; ")


def test_of_what_stands_beside_the_code_a_text_is_told_only_where_nothing_else_was_changed() -> None:
    index, conf = ({"path": f"tests/roots/{name}", "old_str": "a", "new_str": "voucher = 2"} for name in ("index.rst", "conf.py"))
    edits = [Step("edit", arguments=arguments) for arguments in (index, conf)]
    assert told(lost("a", *edits)) == [("changed no code, but beside it tests/roots/conf.py: + voucher = 2",)]
    assert told(lost("a", edits[0])) == [("changed no code, but beside it tests/roots/index.rst: - a + voucher = 2",)]


def test_beside_what_worked_it_is_told_what_most_of_those_that_failed_changed_instead() -> None:
    won = attempt("a", edit("return total", "return round(total, 2)"))
    lost = [
        attempt(name, edit("return total", new), outcome=FAILURE)
        for name, new in (("b", "return 7"), ("c", "return 8"), ("d", "return  8"))
    ]
    (first, *others) = told(won, *lost)
    assert first == (
        "changed shop/cart.py: - return total + return round(total, 2)",
        "unlike it, 2 attempts that did not succeed changed shop/cart.py: - return total + return 8",
    )
    assert others == [(), (), ()]
    assert told(won, attempt("e", edit("return total", "return round(total,2)"), outcome=FAILURE))[0] == first[:1], "it did the same"
