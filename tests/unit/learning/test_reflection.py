"""Episode to sentences."""

import re
from dataclasses import replace
from typing import Any

import pytest

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, FileUse, Outcome, OutcomeKind, Reflection, Reward, Step, StepStatus, Trace, Use
from mcp_memory.learning.judging.reflection import MAX_FACTS, asked_about, taught_by, telling
from mcp_memory.learning.judging.reflection import reflect as reflected
from mcp_memory.phrases import sentence
from mcp_memory.phrases.reflection import question


def reflect(*args: Any) -> Any:
    """The reflection as it is read: in sentences."""
    found = reflected(*args)
    return Reflection(*(tuple(map(sentence, group)) for group in (found.successes, found.improvements, found.insights)))


def bad(tool: str, error: str = "KeyError: 'a'") -> Step:
    return Step(tool, error=error, status=StepStatus.ERROR)


def episode(*steps: Step, kind: OutcomeKind = OutcomeKind.FAILURE, **said: tuple[str, ...]) -> Episode:
    outcome = Outcome(kind, lessons=said.get("lessons", ()), completed=said.get("completed", ()), failed=said.get("failed", ()))
    return Episode("now", "p", "fix the bug", steps=steps, step_count=len(steps), outcome=outcome)


def attempt(i: int, *keys: str, success: bool = True, errors: tuple[tuple[int, str], ...] = ()) -> tuple[Trace, float]:
    kind, reward = ("success", 0.9 - i / 100) if success else ("failure", 0.1)
    trace = Trace(
        i,
        f"old{i}",
        "p",
        "fix the bug",
        "other",
        "",
        "",
        "",
        (),
        "",
        kind,
        reward,
        0,
        1,
        step_keys=keys,
        step_failed=bytes(len(keys)),
        errors=errors,
    )
    return trace, 0.95


GOOD = [attempt(1, "open", "edit", "pytest", "submit"), attempt(2, "search", "edit", "pytest", "submit")]


def test_what_the_successful_attempts_did_and_this_one_did_not_is_named() -> None:
    said = reflect(
        episode(Step("open"), Step("edit"), Step("submit")), Reward(0.1), None, [*GOOD, attempt(3, "edit", "submit", success=False)]
    )
    assert "The successful attempts ran pytest before submit (2 of 2); this one did not (steps 0-2)." in said.improvements


def test_the_files_that_the_successful_attempts_changed_and_this_one_did_not_are_named() -> None:
    good = [(replace(t, digest={"changed": ["src/cart.py", f"notes{i}.md"]}), similarity) for i, (t, similarity) in enumerate(GOOD)]
    failed = episode(Step("Read"), Step("Edit"))
    elsewhere = replace(failed, files=(FileUse("src/cart.py"), FileUse("src/tax.py", Use.CHANGED)))
    there = replace(failed, files=(FileUse("/home/ana/shop/src/cart.py", Use.CHANGED),))
    said = reflect(elsewhere, Reward(0.1), None, good)
    assert "The successful attempts changed src/cart.py (2 of 2); this one did not (steps 0-1)." in said.improvements
    assert not any("notes" in sentence for sentence in said.improvements)
    same = reflect(there, Reward(0.1), None, good)
    unknown = reflect(elsewhere, Reward(0.1), None, GOOD)
    won = reflect(episode(Step("Edit"), kind=OutcomeKind.SUCCESS), Reward(0.9), None, good)
    assert not any("changed" in sentence for said in (same, unknown, won) for sentence in said.improvements)


CREATED = Step("create", arguments={"args": "reproduce_bug.py"}, observation="[File: reproduce_bug.py (1 lines total)]\n1:")
OPENED = Step("open", arguments={"args": "src/cart.py"}, observation="[File: /shop/src/cart.py (20 lines total)]\n1:import tax")
NO_CHANGE = "Ended without a change to any file but its own (reproduce_bug.py); it had looked at src/cart.py."


def changing(*paths: str) -> list[tuple[Trace, float]]:
    """Two successes at similar tasks that changed these files."""
    return [(replace(t, digest={"v": 1, "changed": list(paths)} if paths else {"v": 1}), 0.6) for t, _ in GOOD]


def test_an_attempt_at_a_change_that_changed_no_file_but_its_own_scratch_is_told_so() -> None:
    tried = episode(CREATED, OPENED, Step("submit"))
    assert NO_CHANGE in reflect(tried, Reward(0.1)).improvements
    looked = reflect(episode(OPENED, Step("submit")), Reward(0.1), None, changing("src/tax.py")).improvements
    assert "Ended without a change to any file; it had looked at src/cart.py." in looked
    refused = replace(bad("edit"), error="E999 unexpected indent")
    (said,) = [s for s in reflect(episode(CREATED, OPENED, refused, refused, Step("submit")), Reward(0.1)).improvements if "Ended" in s]
    assert said.endswith("it had looked at src/cart.py; 2 changes it tried failed (last: `E999 unexpected indent`).")


def test_what_a_search_listed_was_not_looked_at_and_an_edit_of_scratch_that_was_put_right_was_not_refused() -> None:
    found = Step("find_file", arguments={"args": '"cart.py"'}, observation="Found 2 matches:\n/shop/lib/cart.py\n/shop/src/cart.py")
    listed = replace(found, arguments={"args": '"tax.py"'}, observation="Found 1 match: /shop/lib/tax.py")
    head = "[File: /shop/reproduce_bug.py (5 lines total)]"
    mistyped = replace(bad("edit"), error="E111 indentation", observation=f"E111 indentation\nThis is how it would have looked\n{head}")
    unnamed = replace(bad("edit"), error="E999 unexpected indent", arguments={"args": "1:1"})
    righted = Step("edit", arguments={"args": "1:1", "text": "import cart"}, observation=f"{head}\n1:import cart")
    for refused in (mistyped, unnamed):
        tried = episode(CREATED, refused, righted, found, listed, OPENED, Step("submit"))
        assert NO_CHANGE in reflect(tried, Reward(0.1)).improvements


def test_the_scratch_is_its_own_whatever_its_name_where_the_successful_attempts_changed_files_that_were_there() -> None:
    tried = episode(replace(CREATED, arguments={"args": "cart_two.py"}, observation=""), OPENED, Step("submit"))
    assert not any("Ended" in s for s in reflect(tried, Reward(0.1)).improvements)
    said = reflect(tried, Reward(0.1), None, changing("src/tax.py")).improvements
    assert "Ended without a change to any file but its own (cart_two.py); it had looked at src/cart.py." in said


def test_no_change_is_no_reproach_where_there_was_one_or_none_was_called_for() -> None:
    edited = replace(OPENED, tool="edit", arguments={"args": "1:1", "text": "import taxes"})
    written = Step("bash", arguments={"command": "python -c \"open('src/cart.py', 'w').write('')\""})
    submitted = Step("submit", observation="diff --git a/src/cart.py b/src/cart.py\n@@ -1 +1 @@\n-import tax\n+import taxes\n")
    for change in (edited, written, submitted):
        assert not any("Ended" in s for s in reflect(episode(CREATED, OPENED, change), Reward(0.1)).improvements)
    asked = episode(Step("search", arguments={"arg": "tax.py"}, observation="a file"), Step("finish"))
    tried = episode(CREATED, OPENED, Step("submit"))
    won = episode(CREATED, OPENED, Step("submit"), kind=OutcomeKind.SUCCESS)
    for run, attempts in ((asked, ()), (tried, changing()), (won, changing("src/tax.py"))):
        assert not any("Ended" in s for s in reflect(run, Reward(0.1), None, attempts).improvements)


def test_a_change_of_scratch_is_not_told_as_what_got_on_with_the_task() -> None:
    def run(path: str) -> Episode:
        edit = Step("edit", arguments={"path": path, "old_str": "a", "new_str": "b"})
        return episode(bad("python"), edit, Step("python"), Step("submit"))

    assert reflect(run("src/cart.py"), Reward(0.1)).successes
    assert not reflect(run("replicate_issue.py"), Reward(0.1)).successes


def test_a_habit_of_failures_as_well_is_no_advice() -> None:
    failed = [attempt(i, "edit", "pytest", "submit", success=False) for i in (5, 6, 7)]
    said = reflect(episode(Step("open"), Step("edit"), Step("submit")), Reward(0.1), None, GOOD + failed)
    assert not any("ran pytest" in s for s in said.improvements)


def test_other_tasks_are_not_compared() -> None:
    said = reflect(episode(Step("edit"), Step("submit")), Reward(0.1), None, [(t, 0.4) for t, _ in GOOD])
    assert not any("attempt" in s for s in (*said.improvements, *said.insights))


def test_the_agents_own_lessons_come_first() -> None:
    said = reflect(episode(Step("edit"), lessons=("Run the tests.",), completed=("a",), failed=("b",)), Reward(0.1), None, GOOD)
    assert said.insights[0] == "Run the tests."
    assert said.successes[0] == "Completed (as reported): a."
    assert said.improvements[0] == "Not done (as reported): b."


def test_a_recovery_names_the_failed_and_the_working_step() -> None:
    said = reflect(episode(bad("make"), Step("edit"), Step("make"), kind=OutcomeKind.SUCCESS), Reward(0.9))
    assert "`KeyError: 'a'` in make (step 0) was fixed by edit (step 1): it worked at step 2." in said.successes


def test_failures_of_one_call_in_a_row_are_one_recovery() -> None:
    said = reflect(episode(bad("make"), bad("make"), Step("edit"), Step("make"), kind=OutcomeKind.SUCCESS), Reward(0.9))
    assert list(said.successes) == ["`KeyError: 'a'` in make (steps 0-1) was fixed by edit (step 2): it worked at step 3."]


def test_what_only_made_another_error_of_the_first_is_no_fix() -> None:
    edits = [
        Step("edit", arguments={"path": "people.py", "new": new})
        for new in ("open(path, errors='ignore')", "open(path, encoding='latin-1')")
    ]
    steps = (
        bad("make", "AssertionError: 0.30000000000000004 != Decimal('0.30')"),
        edits[0],
        bad("make", "AssertionError: 0.3 != Decimal('0.30')"),
    )
    said = reflected(episode(*steps, edits[1], Step("make"), kind=OutcomeKind.SUCCESS), Reward(0.9))
    assert [(fact.failures, fact.by) for fact in said.successes if isinstance(fact, facts.Overcome)] == [((0, 2), 3)]


def test_a_success_that_its_tests_deny_is_called_out() -> None:
    steps = (Step("edit"), Step("pytest", observation="1 failed, 3 passed in 0.20s"))
    said = reflect(episode(*steps, kind=OutcomeKind.SUCCESS), Reward(0.5))
    assert "Reported as a success, but the last test run failed: 1 of 4 tests (step 1)." in said.improvements


def test_standing_errors_and_repeats_name_their_steps() -> None:
    again = Step("ls", arguments={"p": "."}, observation="a")
    said = reflect(episode(again, again, again, bad("deploy", "Permission denied")), Reward(0.1))
    assert any("left standing (step 3" in s and "Permission denied" in s for s in said.improvements)
    assert any("(steps 1-2)" in s for s in said.improvements)


def test_one_error_left_standing_several_times_is_told_once() -> None:
    said = reflect(episode(bad("pay"), Step("look"), bad("pay")), Reward(0.1))
    assert [s for s in said.improvements if "standing" in s] == ["`KeyError: 'a'` in pay was left standing (steps 0, 2, last tried: pay)."]


@pytest.mark.parametrize("kind", [OutcomeKind.SUCCESS, OutcomeKind.FAILURE])
def test_an_error_is_told_as_got_on_with_or_as_left_standing_and_never_as_both(kind: OutcomeKind) -> None:
    failed = replace(bad("unpack", "unzip: command not found"), arguments={"archive": "photos.zip"})
    said = reflect(episode(Step("look"), failed, Step("inflate", arguments={"archive": "photos.zip"}), kind=kind), Reward(0.5))
    told = [s for s in (*said.successes, *said.improvements) if "command not found" in s]
    assert len(told) == 1
    assert ("got on with" in told[0]) is (kind is OutcomeKind.SUCCESS)


def test_the_rejection_of_the_work_is_no_error_that_others_met_too() -> None:
    rejected = bad("finish", "Answer is INCORRECT")
    met = attempt(4, "finish", success=False, errors=((0, "Answer is INCORRECT"),))
    said = reflect(episode(Step("look"), rejected), Reward(0.1), None, [met])
    assert "The last answer was a rejection (step 1: `Answer is INCORRECT`)." in said.improvements
    assert said.insights == ("0 of 1 earlier attempt at this task succeeded.",)


def test_an_error_met_before_says_how_it_ended() -> None:
    met = attempt(4, "make", success=False, errors=((0, "KeyError: <q>"),))
    said = reflect(episode(Step("look"), bad("make")), Reward(0.1), None, [met])
    assert any("(step 1) was met by 1 earlier attempt too; 0 of them succeeded" in s for s in said.insights)


def test_what_a_success_overcame_and_what_a_failure_did_not_is_what_they_teach() -> None:
    won = episode(bad("make"), Step("edit"), Step("make"), kind=OutcomeKind.SUCCESS)
    lost = episode(Step("look"), bad("make"))
    taught = [tuple(map(sentence, taught_by(replace(e, reflection=reflected(e, Reward(0.5), None, GOOD))))) for e in (won, lost)]
    assert taught[0] == ("`KeyError: 'a'` in make (step 0) was fixed by edit (step 1): it worked at step 2.",)
    assert taught[1][0] == "`KeyError: 'a'` in make was left standing (step 1, last tried: make)."
    assert not any("attempts at this task" in s for said in taught for s in said)
    assert taught_by(won) == ()


def script(name: str, status: StepStatus = StepStatus.OK) -> Step:
    error = "NameError: x" if status is StepStatus.ERROR else None
    return Step("bash", arguments={"command": f"python3 {name}"}, status=status, error=error)


def test_another_script_does_not_overcome_the_error_of_one() -> None:
    said = reflected(episode(script("a.py", StepStatus.ERROR), script("b.py"), kind=OutcomeKind.SUCCESS), Reward(0.9))
    assert said.successes == (), "nothing shows that it did the same job"


def test_a_failure_names_the_error_that_stopped_it_although_other_calls_of_its_tool_worked_later() -> None:
    lost = episode(script("a.py", StepStatus.ERROR), *(script(f"{i}.py") for i in "bcdefgh"))
    failed = replace(lost, steps=(lost.steps[0], Step("think"), *(Step("look", arguments={"i": i}) for i in range(8))))
    assert (
        "`NameError: x` in bash:python3 was left standing (step 0, last tried: bash `python3 a.py`)."
        in reflect(failed, Reward(0.1)).improvements
    )


def test_a_step_that_never_failed_is_no_praise() -> None:
    assert reflect(episode(Step("look"), kind=OutcomeKind.SUCCESS), Reward(0.9)).successes == ()


def asked(made: Episode) -> str:
    assert made.outcome is not None
    fact = asked_about(reflected(made, Reward(0.5)), made.outcome.kind)
    return question(fact) if fact else ""


def test_an_alternative_is_told_where_it_can_have_done_the_job() -> None:
    failed = replace(bad("search", "No page"), arguments={"query": "Gator Country"})
    kin, other = Step("crawl", arguments={"url": "wiki/gator"}), Step("mail", arguments={"to": "Mia"})
    room = Step("bash", "mkdir", {"command": "mkdir gator"})
    written = Step("write", arguments={"path": "gator.py", "content": "x"})
    told = [
        bool(reflect(episode(failed, by, Step("end"), kind=OutcomeKind.SUCCESS), Reward(0.9)).successes)
        for by in (kin, other, room, written)
    ]
    assert told == [True, False, False, False]


def test_what_the_agent_did_itself_is_no_news_to_it() -> None:
    steps = (replace(bad("search", "No page"), arguments={"query": "a"}), Step("search", arguments={"query": "b"}), Step("submit"))
    made = episode(*steps, kind=OutcomeKind.SUCCESS, completed=("all of it",))
    assert telling(replace(made, reflection=reflected(made, Reward(0.9)))) == ()


def test_that_a_claimed_success_was_rejected_is_news_where_nothing_is_asked_about_it() -> None:
    made = episode(Step("edit"), Step("submit", observation="The answer is incorrect: 41, not 42"), kind=OutcomeKind.SUCCESS)
    noted = replace(made, outcome=Outcome(OutcomeKind.SUCCESS, lessons=("Check the sign",)))
    for one, expected in ((made, 0), (noted, 1)):
        assert len(telling(replace(one, reflection=reflected(one, Reward(0.5))))) == expected


def test_of_errors_that_stood_the_last_one_is_asked_about() -> None:
    first, last = facts.Standing("unexpected indent", "edit", (8,)), facts.Standing("undefined name 'kwargs'", "edit", (9,))
    assert asked_about(Reflection((), (first, last), ()), OutcomeKind.FAILURE) == last


def test_nothing_is_asked_about_a_rejection_that_does_not_say_why() -> None:
    answers = ("Answer is INCORRECT", "The answer is incorrect: 41, not 42")
    assert [bool(asked(episode(Step("finish", observation=said)))) for said in answers] == [False, True]


def test_nothing_is_asked_about_a_look_that_found_too_much() -> None:
    def asked(key: str) -> facts.Fact | None:
        return asked_about(Reflection((), (facts.Standing("More than 391 files matched", key, (3,)),), ()), OutcomeKind.FAILURE)

    assert asked("search_dir") is None
    assert asked("bash:make") is not None
    bare = facts.Standing("exit -9:", "bash:make", (3,))
    assert asked_about(Reflection((), (bare,), ()), OutcomeKind.FAILURE) is None, "an exit code alone says nothing to try against"
    opened = facts.Overcome("<line> must be less than 99", "goto", (6,), 7, "open cart.py", 8)
    assert asked_about(Reflection((opened,), (), ()), OutcomeKind.SUCCESS) is None


def test_a_tool_that_others_called_is_no_news_and_a_program_is() -> None:
    def told(key: str) -> bool:
        skipped = facts.Skipped(key, "submit", 3, 4, 9)
        made = replace(episode(Step("submit")), reflection=Reflection((), (skipped,), ()))
        return telling(made) == (skipped,)

    assert not told("search_onestop_flight")
    assert told("bash:pytest")


def test_the_same_tool_with_other_arguments_is_a_slip_that_nothing_is_asked_about() -> None:
    failed, again = (Step("edit", arguments={"path": "a.py", "new": text}) for text in ("x (", "x"))
    steps = (replace(failed, status=StepStatus.ERROR, error="SyntaxError"), again, Step("submit"))
    assert asked(episode(*steps, kind=OutcomeKind.SUCCESS)) == ""


def test_one_question_is_asked_about_what_was_overcome_or_left_standing() -> None:
    edit = Step("edit", arguments={"path": "src/cart.py", "old": "a = 1", "new": "a = 2"})
    won = episode(bad("make"), edit, Step("make"), kind=OutcomeKind.SUCCESS)
    assert asked(won) == (
        "Step 0 failed (`KeyError: 'a'`), step 2 worked after edit src/cart.py: - a = 1 + a = 2 (step 1): "
        "say in one sentence why, for next time."
    )
    assert asked(episode(Step("look"), bad("make"))) == (
        "Step 1 failed (`KeyError: 'a'`) and nothing later answered it: say in one sentence what should be tried next time."
    )
    assert asked(episode(Step("look"), kind=OutcomeKind.SUCCESS)) == ""


def test_a_change_before_the_one_that_is_named_is_not_said_to_have_done_it_alone() -> None:
    def edit(path: str) -> Step:
        return Step("edit", arguments={"path": path, "old": "x = 1", "new": "x = 2"})

    other = replace(bad("make"), error="TypeError: no total")
    steps = (bad("make"), edit("src/cart.py"), other, edit("src/fees.py"), Step("open"), edit("src/tax.py"), Step("make"))
    said = asked(episode(*steps, kind=OutcomeKind.SUCCESS))
    assert "step 6 worked after edit src/cart.py: - x = 1 + x = 2 (step 1) and the changes of steps 3, 5: say" in said


def test_a_better_attempt_is_named_and_no_list_of_tools() -> None:
    said = reflect(episode(Step("edit")), Reward(0.1), None, GOOD)
    assert "An earlier attempt did better (old1, reward 0.89): `get_episode` shows how." in said.insights
    best = reflect(episode(Step("edit"), Step("edit"), kind=OutcomeKind.SUCCESS), Reward(0.99), None, GOOD)
    assert best.insights == ("2 of 2 earlier attempts at this task succeeded.",)


def test_it_is_deterministic_short_and_every_judgement_of_steps_has_numbers() -> None:
    steps = tuple([bad(f"t{i}", f"Error {chr(97 + i)}{chr(98 + i)}") for i in range(9)] + [Step("t1"), Step("t2"), Step("t3"), bad("z")])
    one, two = (reflect(episode(*steps, lessons=tuple("abcdefg")), Reward(0.1), None, GOOD) for _ in range(2))
    assert one == two
    assert all(len(group) <= MAX_FACTS for group in (one.successes, one.improvements, one.insights))
    assert all(re.search(r"steps? \d", s) for s in one.improvements)


def test_an_episode_without_steps_has_a_reflection() -> None:
    assert reflect(episode(), Reward(0.1)).improvements


SLIPS = (
    ("if imported or getattr(a, 'b'):", "/bin/bash: line 1: syntax error near unexpected token `('"),
    ("ROUTERS = ['a.b']", "/bin/bash: line 2213: ROUTERS: command not found"),
    ('"{} is used twice: {}"', "/bin/bash: line 640: {} is used twice: {}: command not found"),
    ("from a import b", "sh: 1: from: not found"),
)


@pytest.mark.parametrize(("command", "error"), SLIPS)
def test_code_typed_into_a_shell_is_no_error_that_was_left_standing_or_answered(command: str, error: str) -> None:
    typed = Step("bash", arguments={"command": command}, status=StepStatus.ERROR, error=error)
    assert not any(command in s or error in s for s in reflect(episode(typed, Step("submit")), Reward(0.1)).improvements)
    righted = Step("bash", arguments={"command": "make"}, observation="built")
    said = reflect(episode(typed, righted, kind=OutcomeKind.SUCCESS), Reward(0.9))
    assert not any(error in s for s in (*said.successes, *said.improvements))


def test_a_program_that_is_not_there_and_a_script_that_cannot_be_read_are_left_standing() -> None:
    for command, error in (("fasttext -h", "bash: fasttext: command not found"), ("./run.sh", "./run.sh: line 3: syntax error near `fi'")):
        failed = Step("bash", arguments={"command": command}, status=StepStatus.ERROR, error=error)
        assert any(error in s for s in reflect(episode(failed, Step("submit")), Reward(0.1)).improvements), command
