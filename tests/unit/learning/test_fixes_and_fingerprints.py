"""Failed steps with what fixed them, and arguments as numbers."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.episode import Step, StepStatus
from mcp_memory.domain.fingerprints import (
    answer_kind,
    exact_number,
    fingerprint,
    pack,
    pack_answers,
    pack_targets,
    shape,
    target,
    unpack,
    unpack_answers,
    unpack_targets,
)
from mcp_memory.learning.reading.run import calls_of_steps
from mcp_memory.views.fixes import MAX_STEPS_LATER, Calls, Came, fixes_of


def test_what_worked_next_is_the_first_step_that_succeeds_within_five() -> None:
    calls = Calls(["edit", "edit", "open", "edit"], [True, True, False, False])
    assert [(f.index, f.fix_key, f.steps_later) for f in fixes_of(calls)] == [(0, "open", 2), (1, "open", 1)]


def test_a_success_later_than_that_fixes_nothing() -> None:
    failed = [True] * (MAX_STEPS_LATER + 1) + [False]
    first = next(iter(fixes_of(Calls(["x"] * len(failed), failed))))
    assert first.fix_key == ""


def came(*steps: Step, success: bool = True) -> tuple[Came, str]:
    """What came of the first failed step, and the key of the step that did it."""
    calls = calls_of_steps(steps, success)
    fix = next(iter(fixes_of(calls)))
    return fix.came, steps[fix.by].key if fix.by >= 0 else ""


def run(command: str, status: StepStatus = StepStatus.OK) -> Step:
    return Step("bash", arguments={"command": command}, status=status)


def bad(command: str, error: str | None = None) -> Step:
    return replace(run(command, StepStatus.ERROR), error=error)


def test_the_change_before_the_failed_call_worked_is_the_fix() -> None:
    edit, look = Step("edit", arguments={"path": "a.py", "new": "x"}), Step("open", arguments={"path": "a.py"})
    assert came(bad("pytest -q a.py"), look, edit, look, run("pytest a.py")) == (Came.FIXED, "edit")
    assert came(bad("python a.py"), run("pip install yaml"), run("ls"), run("python a.py")) == (Came.FIXED, "bash:pip install")


def test_the_change_after_which_the_error_was_another_is_the_fix() -> None:
    edit, install = Step("edit", arguments={"path": "a.py", "new": "x"}), run("pip install yaml")
    missing, other = bad("python a.py", "ModuleNotFoundError: No module named 'yaml'"), bad("python a.py", "KeyError: 'name'")
    assert came(missing, install, other, edit, run("python a.py")) == (Came.FIXED, "bash:pip install")
    assert came(missing, edit, missing, install, other, edit, run("python a.py")) == (Came.FIXED, "bash:pip install")
    assert came(missing, install, other, edit, missing, edit, run("python a.py")) == (Came.FIXED, "edit")
    broken = bad("python a.py", "SyntaxError: invalid syntax")
    assert came(missing, install, broken, edit, run("python a.py")) == (Came.FIXED, "edit")


def test_a_change_that_was_itself_corrected_is_not_the_fix() -> None:
    first, second = (Step("edit", arguments={"path": "a.py", "new": text}) for text in ("errors='ignore'", "encoding='latin-1'"))
    unreadable, lossy = bad("pytest a.py", "UnicodeDecodeError: invalid start byte"), bad("pytest a.py", "AssertionError: 'Jrg'")
    steps = (unreadable, first, lossy, second, run("pytest a.py"))
    assert next(iter(fixes_of(calls_of_steps(steps, success=True)))).by == 3


def test_a_module_run_instead_of_a_script_is_the_fix_though_something_else_was_edited_before_it_worked() -> None:
    missing, unreadable = (
        bad("python jobs/a.py", "ModuleNotFoundError: No module named 'shop'"),
        bad("python -m jobs.a", "UnicodeDecodeError: utf-8"),
    )
    edit = Step("edit", arguments={"path": "read.py", "new": "x"})
    assert came(missing, unreadable, edit, run("python -m jobs.a")) == (Came.FIXED, "bash:python -m jobs.a")


def test_looking_thinking_and_ending_fix_nothing() -> None:
    broken = Step("edit", arguments={"path": "a.py", "old": "x"}, status=StepStatus.ERROR)
    for step in (Step("Read", arguments={"path": "a.py"}), Step("think"), Step("submit"), Step("transfer_to_human_agents")):
        assert came(broken, step) == (Came.GAVE_UP, "")
    again = Step("edit", arguments={"path": "a.py", "old": "y"})
    assert came(broken, Step("Read", arguments={"path": "a.py"}), again) == (Came.FIXED, "edit")


def test_opening_another_file_is_what_fixed_the_same_search_in_it() -> None:
    def search(status: StepStatus = StepStatus.OK, what: str = "bulk_create") -> Step:
        return Step("search_file", arguments={"args": what}, status=status)

    def opened(path: str) -> Step:
        return Step("open", arguments={"args": path})

    missed, edit = search(StepStatus.ERROR), Step("edit", arguments={"path": "a.py", "new": "x"})
    find = Step("find_file", arguments={"args": "query.py"})
    assert came(missed, find, opened("models/query.py"), search()) == (Came.FIXED, "open")
    assert came(missed, edit, opened("models/query.py"), search()) == (Came.FIXED, "open")
    assert came(missed, opened("models/query.py"), edit, search()) == (Came.FIXED, "edit")
    assert came(missed, find, search()) == (Came.FIXED, "search_file")
    checks = Step("make_release", arguments={"to": "x"})
    assert came(replace(checks, status=StepStatus.ERROR), edit, opened("a.py"), checks) == (Came.FIXED, "edit")
    assert came(bad("python a.py"), opened("a.py"), run("python a.py")) == (Came.FIXED, "bash:python")
    assert came(missed, opened("models/query.py"), search(what="create")) == (Came.GOT_ON, "open")


def test_a_command_that_would_have_ended_well_anyway_fixes_nothing_and_did_no_job() -> None:
    failed = bad("crypt -p best a.txt", "error: invalid value")
    assert came(failed, run("crypt a.txt || echo failed"), run("tar x")) == (Came.GOT_ON, "bash:tar")
    assert came(failed, run("crypt --help; true")) == (Came.GAVE_UP, "")
    assert came(bad("python a.py"), run("python a.py || true")) == (Came.GAVE_UP, "")
    assert came(bad("python a.py"), run("python a.py && echo done")) == (Came.FIXED, "bash:python")


def test_what_failed_itself_soon_after_did_no_job() -> None:
    book, pay = Step("book", status=StepStatus.ERROR, error="sold out"), Step("pay", arguments={"id": "7"})
    assert came(book, pay, Step("mail")) == (Came.GOT_ON, "pay")
    assert came(book, pay, replace(pay, status=StepStatus.ERROR, error="declined"), Step("mail")) == (Came.GAVE_UP, "")


def test_another_script_is_another_call() -> None:
    assert came(bad("python3 a.py"), run("python3 b.py")) == (Came.GOT_ON, "bash:python3")
    assert came(bad("python3 a.py"), run("python3 b.py"), run("python3 a.py"))[0] is Came.FIXED


def test_a_part_of_a_compound_command_alone_is_another_call() -> None:
    together = bad("mkdir -p /app/cache && pip install torch", "command timed out and was killed")
    assert came(together, run("mkdir -p /app/cache"))[0] is Came.GOT_ON
    assert came(together, run("mkdir -p /app/cache && pip install numpy"))[0] is Came.GOT_ON
    assert came(together, run("mkdir -p /app/cache && pip install --no-cache-dir torch"))[0] is Came.FIXED
    assert came(bad("mkdir /b && cp /a /b"), run("mkdir /b && rm /a /b"))[0] is Came.GOT_ON
    assert came(bad("ls /app && pip install torch"), run("ls /app"))[0] is not Came.FIXED
    assert came(bad("python a.py"), run("cd repo && python a.py | head -5"))[0] is Came.FIXED
    assert came(bad(f"mkdir -p /app{' -p' * 200} && make"), run(f"mkdir -p /app{' -p' * 200}"))[0] is Came.GOT_ON, "too long to be told"


def test_what_was_done_before_the_same_call_failed_the_same_way_again_did_no_job() -> None:
    edit, broken = Step("edit", arguments={"path": "a.py", "new": "x"}), bad("python a.py", "ValueError: ambiguous")
    assert came(broken, edit, broken, run("ls")) == (Came.GAVE_UP, "")
    assert came(broken, edit, bad("python a.py", "KeyError: 'a'"), run("ls")) == (Came.GOT_ON, "edit")


def test_the_last_step_of_a_run_that_failed_did_no_job() -> None:
    assert came(bad("make"), Step("deploy"), success=False) == (Came.GAVE_UP, "")
    assert came(bad("make"), Step("deploy"), success=True) == (Came.GOT_ON, "deploy")


@given(st.lists(st.sampled_from(["a.py", "b.py", ""]), max_size=12))
def test_targets_survive_packing(paths: list[str]) -> None:
    steps = [Step("t", arguments={"path": path} if path else {}) for path in paths]
    assert unpack_targets(pack_targets([target(s) for s in steps]), len(steps)) == [target(s) for s in steps]
    assert unpack_targets("", len(steps)) == [-1] * len(steps)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=90), st.integers(), st.none())), max_size=20))
def test_fingerprints_survive_packing(arguments: list[dict[str, object]]) -> None:
    steps = [Step("t", arguments=a) for a in arguments]
    exact, like = unpack(pack(steps, [exact_number(s) for s in steps]), len(steps))
    assert list(zip(exact, like, strict=True)) == [fingerprint(s) for s in steps]


def test_equal_arguments_in_any_order_are_equal() -> None:
    assert fingerprint(Step("t", arguments={"a": 1, "b": 2})) == fingerprint(Step("t", arguments={"b": 2, "a": 1}))


def test_the_shape_forgets_names_and_numbers() -> None:
    assert shape({"path": "src/a.py", "line": 3}) == shape({"path": "lib/other.py", "line": 77})
    assert shape({"path": "src/a.py"}) != shape({"path": "three words here"})


def test_answers_of_one_kind_are_alike_whatever_names_and_numbers_are_in_them() -> None:
    def kind(text: str, error: str | None = None) -> int:
        return answer_kind(Step("t", observation=text, error=error))

    assert kind("Found 193 matches for 'a' in /x") == kind("\n Found 2 matches for 'bcd' in /y/z\nmore") != kind("No matches found for 'a'")
    assert kind("", "No matches found for 'q'") == kind("No matches found for 'r'")
    assert kind("") == kind("  \n") == 0 < kind("{") != kind("[")


@given(st.lists(st.text(max_size=40), max_size=4))
def test_kinds_of_answers_survive_packing(answers: list[str]) -> None:
    steps = [Step("t", observation=text) for text in answers]
    assert unpack_answers(pack_answers(steps), len(steps)) == [answer_kind(s) for s in steps]
    assert unpack_answers("", len(steps)) == [0] * len(steps)
