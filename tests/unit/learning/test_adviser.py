"""Advice in the middle of a run."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mcp_memory.domain.episode import Context, Episode, Outcome, OutcomeKind, Reward
from mcp_memory.learning.advice.adviser import Advice, Adviser
from mcp_memory.learning.advice.error_recovery import Stored
from mcp_memory.ports import Situation
from mcp_memory.views.experience import Experience

from .runs import WEB, episode, step, trace_of


def adviser(*episodes: Episode) -> Adviser:
    experience = Experience()
    experience.add([trace_of(e, i) for i, e in enumerate(episodes)])
    known = {e.id: e for e in episodes}
    return Adviser(experience, lambda ids: [known.get(i) for i in ids], Stored(lambda *_: None, lambda *_: None))


def keys(advice: Sequence[Any]) -> list[str]:
    return [s.tool if s.tool == s.action else f"{s.tool}:{s.action}" for s in advice]


def now(*steps: str, task: str = "fix the login page", context: Context = WEB) -> Episode:
    return episode("now", steps, None, task=task, context=context)


REPEATED = [episode(f"e{i}", ["open", "edit", "bash:pytest", "submit"]) for i in range(5)]


def test_an_empty_memory_has_no_advice() -> None:
    assert adviser().suggest(Situation(now("open"), []), 3, None) == Advice()


def test_what_always_came_next_is_suggested_first_with_its_evidence() -> None:
    advice = adviser(*REPEATED).suggest(Situation(now("open", "edit"), [("e0", 1.0)]), 3, None)
    suggestions, recovery, warnings = advice.suggestions, advice.recovery, advice.warnings
    assert keys(suggestions)[0] == "bash:pytest"
    assert suggestions[0].evidence[0] in {e.id for e in REPEATED}
    assert "5 of 5" in suggestions[0].reason
    assert recovery is None
    assert warnings == ()


def test_the_kind_of_the_last_answer_decides_between_ways_to_go_on() -> None:
    def run(name: str, answer: str, then: str) -> Episode:
        steps = tuple(replace(s, observation=answer) if s.tool == "find" else s for s in (step("find"), step(then, 1)))
        return replace(episode(name, ["find", then]), steps=steps)

    memory = [run(f"a{i}", f"Found {i + 2} matches for 'x{i}' in /src", "open") for i in range(3)]
    memory += [run(f"b{i}", f"No matches found for 'y{i}'", "search") for i in range(3)]
    for answer, expected in (("Found 41 matches for 'z' in /lib", "open"), ("No matches found for 'z'", "search")):
        here = replace(now("find"), steps=(replace(step("find"), observation=answer),))
        suggestions = adviser(*memory).suggest(Situation(here, []), 3, None).suggestions
        assert keys(suggestions)[0] == expected


def test_the_very_same_call_before_decides_between_ways_to_go_on() -> None:
    def run(name: str, file: str, then: str) -> Episode:
        return replace(episode(name, ["open", then]), steps=(step("open", path=file), step(then, 1)))

    memory = [run(f"a{i}", "a.py", "edit") for i in range(3)] + [run(f"b{i}", "b.py", "run") for i in range(3)]
    for file, expected in (("a.py", "edit"), ("b.py", "run")):
        here = replace(now("open"), steps=(step("open", path=file),))
        assert keys(adviser(*memory).suggest(Situation(here, []), 3, None).suggestions)[0] == expected


def test_what_this_run_itself_does_again_and_again_is_suggested_though_nobody_did_it_before() -> None:
    memory = [episode(f"e{i}", ["open", "edit", "open", "edit", "bash:pytest", "submit"]) for i in range(5)]
    suggestions = adviser(*memory).suggest(Situation(now("open", "look", "zoom", "look", "zoom", "look"), []), 3, None).suggestions
    assert keys(suggestions)[0] == "zoom"
    assert suggestions[0].reason == "this run itself has used zoom 2 times"
    assert suggestions[0].evidence == ()


def test_where_runs_use_each_tool_once_a_run_is_not_told_to_repeat_itself() -> None:
    memory = [episode(f"e{i}", ["find", "book", "pay", "mail"]) for i in range(5)]
    suggestions = adviser(*memory).suggest(Situation(now("find", "book"), []), 3, None).suggestions
    assert keys(suggestions)[0] == "pay"
    assert "book" not in keys(suggestions)[:2]


def test_tools_of_another_project_are_never_suggested() -> None:
    memory = [episode("mine", ["open"]), episode("theirs", ["vault", "seal"], project="q")]
    for task in ("fix the login page", "open the vault and seal it"):
        suggestions = adviser(*memory).suggest(Situation(now("open", task=task), []), 5, None).suggestions
        assert set(keys(suggestions)) <= {"open"}


def test_at_the_start_the_first_tools_are_suggested() -> None:
    assert keys(adviser(*REPEATED).suggest(Situation(now(), []), 3, None).suggestions)[0] == "open"


def test_a_similar_task_outweighs_many_dissimilar_ones() -> None:
    others = [episode(f"o{i}", ["open", "read", "submit"]) for i in range(4)]
    same = episode("same", ["open", "migrate", "submit"])
    advice = adviser(*others, same)
    assert keys(advice.suggest(Situation(now("open"), [("same", 1.0)]), 1, None).suggestions) == ["migrate"]
    assert keys(advice.suggest(Situation(now("open"), []), 1, None).suggestions) == ["read"]


def test_what_a_success_at_the_very_task_did_next_is_more_than_a_habit_unless_it_was_just_done() -> None:
    task = "Pay booking B7 by card"
    good = episode("good", ["find", "pay"], task=task)
    good = replace(good, steps=(good.steps[0], step("pay", 1, booking="B7", by="card")))
    bad = episode("bad", ["find", "pay"], OutcomeKind.FAILURE, task=task)
    bad = replace(bad, steps=(bad.steps[0], step("pay", 1, booking="B7", by="cash")))
    memory, near = adviser(good, bad), [("bad", 1.0), ("good", 1.0)]
    first = memory.suggest(Situation(now("find", task=task), near), 1, None).suggestions[0]
    assert (first.basis, first.arguments_example, first.evidence[0]) == (
        "as in an attempt that succeeded",
        {"booking": "B7", "by": "card"},
        "good",
    )
    failed = replace(now("find", "pay!declined", task=task), steps=(step("find"), step("pay!declined", 1, booking="B7", by=" card")))
    assert all(not s.basis for s in memory.suggest(Situation(failed, near), 1, None).suggestions)
    other = now("find", task="Pay booking B8 by card")
    assert all(not s.basis for s in memory.suggest(Situation(other, near), 1, None).suggestions)


def fixed_by(name: str, message: str, *change: Any) -> Episode:
    """A run whose tests failed with *message* until this was done."""
    test = {"command": "python -m unittest"}
    steps = (step(f"bash:python -m unittest!{message}", 0, **test), *change, step("bash:python -m unittest", 2, **test))
    return replace(episode(name, task=f"task {name}"), steps=steps, step_count=3)


def told_after(memory: Adviser, message: str) -> list[tuple[str | None, str | None]]:
    failed = replace(now(task="another"), steps=(step(f"bash:python -m unittest!{message}", 0, command="python -m unittest"),))
    recovery = memory.suggest(Situation(failed, []), 3, None).recovery
    assert recovery is not None
    return [(fix.did, fix.like) for fix in recovery.fixes if fix.did]


def test_what_fixed_an_error_of_this_kind_elsewhere_is_told_with_that_error() -> None:
    edit = step("edit", 1, path="shop/pricing.py", old="sum(prices)", new="sum(map(Decimal, prices))")
    memory = adviser(fixed_by("a", "AssertionError: 0.3 != Decimal('0.30')", edit))
    assert told_after(memory, "AssertionError: 3.3000000003 != Decimal('3.30')") == [
        ("edit shop/pricing.py: - sum(prices) + sum(map(Decimal, prices))", "AssertionError: 0.3 != Decimal('0.30')")
    ]


def test_messages_of_one_kind_may_differ_in_words_that_are_no_names() -> None:
    edit = step("edit", 1, path="shop/people.py", old="'utf-8'", new="'latin-1'")
    memory = adviser(fixed_by("a", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xf6: invalid start byte", edit))
    assert len(told_after(memory, "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe4: invalid continuation byte")) == 1
    assert told_after(memory, "UnicodeDecodeError: 'ascii' codec can't decode byte 0xe4: invalid continuation byte") == []


def test_a_command_that_was_given_otherwise_is_told_beside_the_one_that_failed() -> None:
    missing = "ModuleNotFoundError: No module named 'shop'"
    made = episode("a", [f"bash:python!{missing}", "bash:python -m tools.report"])
    steps = (
        step(f"bash:python!{missing}", 0, command="python tools/report.py"),
        step("bash:python -m tools.report", 1, command="python -m tools.report"),
    )
    memory = adviser(replace(made, steps=steps))
    failed = replace(now(task="another"), steps=(step(f"bash:python!{missing}", 0, command="python jobs/nightly.py"),))
    recovery = memory.suggest(Situation(failed, []), 3, None).recovery
    assert recovery is not None
    assert recovery.fixes[0].did == "bash `python -m tools.report` instead of `python tools/report.py`"


def test_the_change_of_an_attempt_that_failed_is_not_told_where_another_one_succeeded() -> None:
    task, message = "The total of `Cart` is off by a cent, see issue 12", "AssertionError: 0.3 != Decimal('0.30')"
    edit = step("edit", 1, path="shop/pricing.py", old="sum(prices)", new="sum(map(float, prices))")
    bad = replace(fixed_by("bad", message, edit), task=task, outcome=Outcome(OutcomeKind.FAILURE), reward=Reward(0.0))
    good = replace(episode("good", ["look", "edit"], task=task), reward=Reward(1.0))
    test = step(f"bash:python -m unittest!{message}", 0, command="python -m unittest shop/pricing.py")
    here = Situation(replace(now(task=task), steps=(test,)), [("bad", 1.0), ("good", 1.0)])

    def told(memory: Adviser) -> list[object]:
        advice = memory.suggest(here, 3, None)
        assert advice.recovery is not None
        shown = [s.arguments_example for s in advice.suggestions if s.tool == "edit"]
        return [*(fix.did for fix in advice.recovery.fixes if fix.did), *filter(None, shown)]

    assert len(told(adviser(bad))) == 2
    assert told(adviser(bad, good)) == []


def searched(name: str, wrong: str, right: str) -> Episode:
    steps = (step(f"search!Could not find [{wrong}]. Similar: ['{right}']", 0, arg=wrong), step("search", 1, arg=right))
    return replace(episode(name, ["x", "x"], task=f"task {name}"), steps=steps)


@pytest.mark.parametrize(("answers", "counted"), [(9, (9, 9)), (11, (0, 0))])
def test_of_more_answers_than_are_compared_no_number_is_told(answers: int, counted: tuple[int, int]) -> None:
    memory = adviser(*(searched(f"s{i}", "SAS", "Special Air Service") for i in range(answers)))
    recovery = memory.suggest(Situation(now("search!Could not find [SAS]. Similar: ['Special Air Service']"), []), 3, None).recovery
    assert recovery is not None
    assert recovery.fixes[0].change == "give `arg` a value that the error names"
    assert (recovery.fixes[0].changed, recovery.fixes[0].compared) == counted


def test_what_fixed_it_for_another_name_is_not_told_and_for_the_very_error_it_is() -> None:
    memory = adviser(fixed_by("a", "ModuleNotFoundError: No module named 'babel'", step("bash", 1, command="pip install babel")))
    assert told_after(memory, "ModuleNotFoundError: No module named 'json5'") == []
    assert told_after(memory, "ModuleNotFoundError: No module named 'babel'") == [("bash `pip install babel`", None)]


def test_the_example_shows_the_arguments_of_an_earlier_use() -> None:
    made = episode("e", ["open", "edit"])
    made = replace(made, steps=(made.steps[0], step("edit", 1, path="a.py")))
    suggestions = adviser(made).suggest(Situation(now("open"), [("e", 1.0)]), 1, None).suggestions
    assert suggestions[0].arguments_example == {"path": "a.py"}


def test_the_first_three_say_what_comes_next_and_the_others_what_is_still_to_come() -> None:
    suggestions = adviser(*REPEATED).suggest(Situation(now("open"), [("e0", 1.0)]), 5, None).suggestions
    assert keys(suggestions)[0] == "edit"
    assert "submit" in keys(suggestions)
    assert len(suggestions) == len(set(keys(suggestions))) <= 5


def test_after_an_error_what_fixed_it_comes_first() -> None:
    runs = [episode(f"e{i}", ["run!ModuleNotFoundError: No module named 'x'", "pip", "run", "submit"]) for i in range(3)]
    runs += [episode(f"t{i}", ["run!command timed out", "wait", "run", "submit"]) for i in range(3)]
    advice = adviser(*runs).suggest(Situation(now("run!ModuleNotFoundError: No module named 'yaml'"), []), 3, None)
    suggestions, recovery = advice.suggestions, advice.recovery
    assert keys(suggestions)[0] == "pip"
    assert recovery is not None
    assert recovery.error_signature == "ModuleNotFoundError: No module named <q>"
    assert (recovery.fixes[0].tool, recovery.fixes[0].fixed, recovery.fixes[0].tried) == ("pip", 3, 3)


def test_the_example_of_a_fix_is_the_one_after_which_the_failed_step_worked() -> None:
    steps = [
        step("test!bad byte", 0),
        step("edit", 1, new="ignore errors"),
        step("test!letters are missing", 2),
        step("edit", 3, new="latin-1"),
        step("test", 4),
        step("edit", 5, new="something else"),
    ]
    run = replace(episode("r", ["x"] * 6), steps=tuple(steps))
    suggestions = adviser(run).suggest(Situation(now("test!bad byte"), []), 1, None).suggestions
    assert suggestions[0].arguments_example == {"new": "latin-1"}


def installs(name: str, module: str) -> Episode:
    """A run in which a package that was missing is installed by a script that knows its name."""
    steps = (step(f"run!No module named '{module}'", 0), step("setup", 1, script=f"install {module.title()} from wheels"), step("run", 2))
    return replace(episode(name, ["x"] * 3), steps=steps)


def test_the_values_of_a_fix_are_shown_for_the_very_message_they_answered() -> None:
    advice = adviser(installs("a", "alpha"), installs("b", "beta"))

    def example(module: str) -> object:
        recovery = advice.suggest(Situation(now(f"run!No module named '{module}'"), []), 1, None).recovery
        assert recovery is not None
        assert (recovery.fixes[0].tool, recovery.fixes[0].fixed) == ("setup", 2)
        return recovery.fixes[0].arguments_example

    assert example("beta") == {"script": "install Beta from wheels"}
    assert example("gamma") is None, "what another module needed says nothing here"


def test_nothing_is_advised_after_an_answer_that_ended_every_run() -> None:
    others = [episode(f"o{i}", ["finish!no such file", "look", "finish"]) for i in range(3)]
    ended = [episode(f"e{i}", ["look", "finish!Answer is INCORRECT"], OutcomeKind.FAILURE) for i in range(3)]
    after = adviser(*others, *ended).suggest(Situation(now("look", "finish!Answer is INCORRECT"), []), 3, None)
    assert (after.suggestions, after.recovery) == ((), None)
    assert adviser(*others, *ended[:2]).suggest(Situation(now("look", "finish!Answer is INCORRECT"), []), 3, None).suggestions


def test_how_runs_ended_is_compared_only_where_several_went_either_way() -> None:
    won = [episode(f"w{i}", ["open", "edit", "submit"]) for i in range(2)]
    lost = [episode(f"l{i}", ["open", "guess", "submit"], OutcomeKind.FAILURE) for i in range(9)]
    reasons = {s.tool: s.reason for s in adviser(*won, *lost).suggest(Situation(now("open"), []), 3, None).suggestions}
    assert reasons["edit"] == "after open, 2 of 11 comparable steps used edit"


def test_trying_the_same_again_is_proposed_only_when_it_nearly_always_works() -> None:
    flaky = [episode(f"f{i}", ["fetch!timed out", "fetch", "submit"]) for i in range(20)]
    assert keys(adviser(*flaky).suggest(Situation(now("fetch!timed out"), []), 3, None).suggestions)[0] == "fetch"
    once = [episode("o", ["run!No module named 'x'", "run"]), episode("t", ["run!failed", "edit", "run"])]
    assert keys(adviser(*once).suggest(Situation(now("run!No module named 'y'"), []), 3, None).suggestions)[0] == "run"
    mixed = [episode(f"m{i}", ["edit!bad syntax", "edit" if i % 2 else "open", "submit"]) for i in range(8)]
    assert keys(adviser(*mixed).suggest(Situation(now("edit!bad syntax"), []), 3, None).suggestions)[0] == "open"


def test_what_fixed_another_error_is_not_said_to_have_fixed_this_one() -> None:
    runs = [episode(f"e{i}", ["run!ModuleNotFoundError: No module named 'x'", "pip", "run"]) for i in range(3)]
    runs.append(episode("u", ["test!UnicodeDecodeError: 'utf-8' codec can't decode byte", "edit", "test"]))

    def fixes(error: str) -> list[str]:
        recovery = adviser(*runs).suggest(Situation(now(f"run!{error}"), []), 3, None).recovery
        assert recovery is not None
        return [fix.tool for fix in recovery.fixes]

    assert fixes("UnicodeDecodeError: 'ascii' codec can't decode byte") == ["edit"]  # of another tool, but the same error
    assert fixes("MemoryError: cannot allocate") == []


def test_a_step_that_mostly_failed_before_is_warned_about() -> None:
    runs = [episode(f"e{i}", ["deploy!permission denied", "login", "push"], OutcomeKind.FAILURE) for i in range(6)]
    advice = adviser(*runs)
    warnings = advice.suggest(Situation(now(), [(e.id, 1.0) for e in runs]), 3, step("deploy")).warnings
    assert len(warnings) == 1
    assert "permission denied" in warnings[0].message
    assert warnings[0].instead == "login"
    assert set(warnings[0].evidence) <= {e.id for e in runs}


def test_a_step_that_mostly_worked_is_not_warned_about() -> None:
    runs = [episode(f"e{i}", ["build", "deploy" + ("!denied" if i == 0 else "")]) for i in range(8)]
    warnings = adviser(*runs).suggest(Situation(now("build"), [(e.id, 1.0) for e in runs]), 3, step("deploy")).warnings
    assert warnings == ()


def test_the_very_call_that_never_worked_at_this_task_is_warned_about_with_its_real_error() -> None:
    def run(name: str, code: str, text: str = "deploy!no quota for 'blue-7'") -> Episode:
        made = episode(name, ["build", text], OutcomeKind.FAILURE)
        return replace(made, steps=(made.steps[0], replace(made.steps[1], arguments={"to": code})))

    once, other = run("a", "blue"), run("b", "green", "deploy")
    memory, here = adviser(once, other), Situation(now("build"), [("a", 1.0), ("b", 1.0)])
    (warning,) = memory.suggest(here, 3, step("deploy", to="blue")).warnings
    assert warning.message == "deploy with these arguments failed in 1 of 1 earlier tries at this task: `no quota for 'blue-7'`"
    assert memory.suggest(here, 3, step("deploy", to="green")).warnings == ()


def test_a_call_without_arguments_is_not_the_very_call_of_others() -> None:
    memory = adviser(episode("a", ["build", "submit!rejected"], OutcomeKind.FAILURE))
    assert memory.suggest(Situation(now("build"), [("a", 1.0)]), 3, step("submit")).warnings == ()


def test_looking_around_does_not_make_a_failed_call_another_one() -> None:
    warnings = adviser(*REPEATED).suggest(Situation(now("test!1 failed", "find"), []), 3, step("test")).warnings
    assert [w.message for w in warnings] == [
        "test with these arguments failed at step 0 of this episode: `1 failed`; nothing was changed since"
    ]


@pytest.mark.parametrize(("done", "warned"), [(["test!1 failed"], True), (["test!1 failed", "edit"], False), (["edit", "test"], False)])
def test_repeating_a_call_that_just_failed_is_warned_about_unless_something_changed(done: list[str], warned: bool) -> None:
    warnings = adviser(*REPEATED).suggest(Situation(now(*done), []), 3, step("test")).warnings
    assert bool(warnings) is warned


def test_the_tasks_own_words_speak_for_a_tool() -> None:
    runs = [episode(f"e{i}", ["login", tool, "logout"]) for i, tool in enumerate(["post_tweet", "send_mail", "get_stock"] * 3)]
    suggestions = adviser(*runs).suggest(Situation(now("login", task="Please log in. Then send a mail to Bob."), []), 1, None).suggestions
    assert keys(suggestions) == ["send_mail"]
