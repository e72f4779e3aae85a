"""What a guide tells of episodes: commands, changes, tasks solved and not yet."""

from dataclasses import replace

from mcp_memory.domain import facts
from mcp_memory.domain.episode import Episode, FileUse, OutcomeKind, Reflection, Step, StepStatus, Use
from mcp_memory.learning.reports.practice import practice

from .runs import episode

FAILURE = OutcomeKind.FAILURE


def run(name: str, *commands: str, agent: str = "a", failed: str = "", error: str = "no rule", task: str = "") -> Episode:
    """An episode at a task of its own, if none is given, that ran these commands."""
    steps = tuple(
        Step("bash", arguments={"command": c}, status=StepStatus.ERROR, error=error)
        if c == failed
        else Step("bash", arguments={"command": c})
        for c in commands
    )
    return replace(episode(name, task=task or f"task {name}"), steps=steps, agent=agent)


def edited(name: str, new: str, task: str = "Totals are off", outcome: OutcomeKind = OutcomeKind.SUCCESS) -> Episode:
    edit = Step("edit", arguments={"path": "shop/cart.py", "old": "return total", "new": new})
    return replace(episode(name, [], outcome, task=task), steps=(edit,), files=(FileUse("shop/cart.py", Use.CHANGED),))


def test_a_command_that_worked_at_two_tasks_is_told_with_how_often_it_did_and_how_it_failed() -> None:
    said = practice(
        [run("e1", "pytest -q", "ls"), run("e2", "pytest -q", "ls", "make odd"), run("e3", "pytest -q", failed="pytest -q")],
        is_shared=False,
    )
    assert said.commands == ["- `pytest -q` worked 2 of 3 times, last on 1970-01-01; failed with `no rule` [e1, e2]"]


def test_no_day_is_told_of_episodes_that_took_no_time_for_theirs_is_that_of_the_import() -> None:
    undated = [replace(run(name, "pytest -q"), started_at_ms=1_000) for name in ("e1", "e2")]
    assert practice(undated, is_shared=False).commands == ["- `pytest -q` worked 2 of 2 times [e1, e2]"]


def test_attempts_at_one_task_do_not_make_a_command_one_for_others() -> None:
    assert practice([run("e1", "make", task="t"), run("e2", "make", task="t")], is_shared=False).commands == []


def test_what_tries_out_makes_room_or_hides_how_it_went_is_no_command_for_others() -> None:
    passing = ("python reproduce_bug.py", "mkdir -p out", "python -c 'import x'", "make || echo failed")
    assert practice([run("e1", *passing), run("e2", *passing)], is_shared=False).commands == []


def test_a_command_that_mostly_failed_is_not_told() -> None:
    assert practice([run("e1", "make", "make", failed="make"), run("e2", "make", failed="make")], is_shared=False).commands == []


def test_where_several_agents_work_what_one_alone_did_is_not_told() -> None:
    alone = [run("e1", "pytest -q"), run("e2", "pytest -q")]
    assert practice(alone, is_shared=True).commands == []
    shared = practice([*alone, run("e3", "pytest -q", agent="b"), edited("e4", "x")], is_shared=True)
    assert shared.commands != []
    assert not shared.solved


def overcome(name: str, error: str, *steps: Step) -> Episode:
    said = facts.Overcome(error, "bash:python", (0,), 1, "", 2)
    return replace(episode(name), steps=(Step("bash"), *steps, Step("bash")), reflection=Reflection((said,), (), ()))


def test_an_error_is_told_with_the_change_that_ended_it() -> None:
    made = overcome("e1", "No module named 'x'", Step("bash", arguments={"command": "pip install x"}))
    assert practice([made], is_shared=False).changes == ["- `No module named 'x'` in bash:python was gone after bash `pip install x` [e1]"]


def test_a_summary_of_tests_and_a_file_without_what_is_in_it_are_no_lesson() -> None:
    written = Step("bash", "cat >", {"command": "cat > map.txt <<'EOF'\n#\nEOF"})
    made = [
        overcome("e1", "=== 1 failed, 1 passed in 0.07s ===", Step("bash", arguments={"command": "pip install x"})),
        overcome("e2", "No module named 'x'", written),
    ]
    assert practice(made, is_shared=False).changes == []


def test_a_solved_task_is_told_with_the_change_and_with_one_that_failed() -> None:
    said = practice([edited("e2", "return round(total, 2)"), edited("e1", "return int(total)", outcome=FAILURE)], is_shared=False)
    assert said.solved == [
        "- “Totals are off”: shop/cart.py: - return total + return round(total, 2); "
        "an attempt that did not succeed: shop/cart.py: - return total + return int(total) [e2]"
    ]
    assert said.unsolved == []


def test_what_an_attempt_that_failed_changed_elsewhere_is_not_told_beside_the_change_that_solved_the_task() -> None:
    edit = Step("edit", arguments={"path": "docs/cart.rst", "old": "exact", "new": "rounded"})
    elsewhere = replace(episode("e1", [], FAILURE, task="Totals are off"), steps=(edit,), files=(FileUse("docs/cart.rst", Use.CHANGED),))
    (line,) = practice([edited("e2", "return round(total, 2)"), elsewhere], is_shared=False).solved
    assert "docs/cart.rst" not in line


def test_a_task_that_several_attempts_failed_at_is_told_with_what_was_tried() -> None:
    tried = [edited(f"e{i}", "return int(total)", outcome=FAILURE) for i in range(2)]
    said = practice(tried, is_shared=False).unsolved
    assert said == ["- “Totals are off”: 2 attempts, none succeeded; both changed shop/cart.py: - return total + return int(total) [e0]"]
    assert practice(tried[:1], is_shared=False).unsolved == []
    (line,) = practice(tried, is_shared=False, failures={"Totals are off": 7}).unsolved
    assert "7 attempts, none succeeded; two changed" in line, "all there are, not those that were read"


def test_attempts_that_changed_the_same_place_count_together_whatever_line_of_it_tells() -> None:
    def cut(name: str, old: str, new: str, line: int) -> Episode:
        shown = "\n".join(f"{line + i}:{text}" for i, text in enumerate(old.split("\n")))
        opened = Step("open", arguments={"args": "/shop/forms.py"}, observation=f"[File: /shop/forms.py (90 lines total)]\n{shown}")
        span = f"{line}:{line + old.count(chr(10))}"
        edit = Step("edit", arguments={"args": span, "text": new}, observation="[File: /shop/forms.py (80 lines total)]\n1:x")
        made = replace(episode(name, [], FAILURE, task="No label"), steps=(opened, edit))
        return replace(made, files=(FileUse("shop/forms.py", Use.CHANGED),))

    method = "    def label(self, id_):\n        if id_:\n            id_ += '_0'\n        return id_"
    gone = [cut(f"e{i}", method, "", 851) for i in range(2)]
    moved = cut("e2", method, "def label(self, id_):\n    return id_", 851)
    (line,) = practice([moved, *gone], is_shared=False).unsolved
    assert "3 attempts, none succeeded; all changed the same place, two of them so: shop/forms.py:851: - def label(self, id_):" in line


def test_a_chain_that_stopped_where_a_program_was_not_found_is_no_command_for_others() -> None:
    said = "/bin/sh: 1: hexpack: not found"
    made = [run(name, "hexpack app && make serve") for name in ("e1", "e2")]
    assert practice(made, is_shared=False).commands != []
    stopped = [replace(e, steps=tuple(replace(step, observation=said) for step in e.steps)) for e in made]
    assert practice(stopped, is_shared=False).commands == []
