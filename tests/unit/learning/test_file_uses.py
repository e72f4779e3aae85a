"""Which files an episode worked on, and which the recalled ones have in common."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from mcp_memory.domain.answers import RecalledFile
from mcp_memory.domain.episode import Episode, FileUse, Outcome, OutcomeKind, Step, StepStatus, Use
from mcp_memory.learning.advice.common_files import common_files
from mcp_memory.learning.reading.file_uses import files_of
from mcp_memory.views.project_files import SeenFile

DIFF = "diff --git a/src/app.py b/src/app.py\nindex 1..2 100644\n--- a/src/app.py\n+++ b/src/app.py\n@@ -1 +1 @@\n"


def step(tool: str, observation: str = "", status: StepStatus = StepStatus.OK, **arguments: Any) -> Step:
    return Step(tool, tool, arguments, observation, status)


def episode(steps: Sequence[Step], outcome: OutcomeKind = OutcomeKind.FAILURE, artifacts: Sequence[str] = ()) -> Episode:
    return Episode("e", "p", "t", steps=tuple(steps), outcome=Outcome(outcome, artifacts=tuple(artifacts)))


def paths(*steps: Step, **more: Any) -> list[str]:
    return [file.path for file in files_of(episode(steps, **more))]


@pytest.mark.parametrize(
    ("call", "use"),
    [
        (step("Read", file_path="src/app.py"), Use.READ),
        (step("Edit", file_path="src/app.py", old_string="a", new_string="b"), Use.CHANGED),
        (step("MultiEdit", file_path="src/app.py", edits=[{"old_string": "a"}]), Use.CHANGED),
        (step("str_replace_based_edit_tool", command="view", path="src/app.py"), Use.READ),
        (step("read_file", target_file="src\\app.py"), Use.READ),
        (step("open", "[File: /repo/src/app.py (20 lines total)]\n1:import os", args="src/app.py"), Use.READ),
        (step("edit", "[File: /repo/src/app.py (20 lines total)]\n1:import os", args="1:1", text="import os\nimport re"), Use.CHANGED),
        (step("bash", command="sed -n 1,20p ./src/app.py | grep 'self.name'"), Use.READ),
        (step("bash", command="sed -i s/a/b/ src/app.py"), Use.CHANGED),
        (step("bash", command=["bash", "-lc", "cd src && cat > src/app.py <<'EOF'\nx.py\nEOF"]), Use.MADE),
        (step("apply_patch", input="*** Begin Patch\n*** Update File: src/app.py\n@@\n-a\n+b\n*** End Patch"), Use.CHANGED),
        (step("bash", DIFF, command="git diff"), Use.CHANGED),
    ],
    ids=lambda value: value.tool if isinstance(value, Step) else "",
)
def test_a_file_is_found_in_the_calls_of_the_usual_tools(call: Step, use: Use) -> None:
    steps = (step("ls", "total 3\n/repo/README.md"), step("Read", file_path="src/app.py", observation="/repo/src/app.py"), call)
    assert files_of(episode(steps if call.tool == "edit" else [call])) == (FileUse("src/app.py", use),)


def test_what_a_search_or_a_listing_prints_is_not_taken_for_work() -> None:
    found = "Found 2 matches:\n/repo/src/a.py (1 match)\n/repo/src/b.py (1 match)"
    assert (
        paths(step("search_dir", found, args='"def load"'), step("ls", "a.py\nb.py"), step("fetch", url="https://example.org/a.json")) == []
    )


def test_where_a_command_writes_its_output_is_a_file_it_made_unless_it_was_there() -> None:
    command = step("bash", command="grep -n total src/app.py > found.txt 2> /dev/null")
    assert files_of(episode([command], OutcomeKind.SUCCESS)) == (FileUse("found.txt", Use.MADE), FileUse("src/app.py"))
    there = step("Read", file_path="found.txt")
    assert FileUse("found.txt", Use.CHANGED) in files_of(episode([there, command, step("bash", command="rm found.txt")]))


def test_a_failed_step_changes_nothing() -> None:
    failed = step("Edit", "no such file", StepStatus.ERROR, file_path="src/app.py", old_string="a", new_string="b")
    assert files_of(episode([failed])) == (FileUse("src/app.py"),)


def test_folders_and_places_are_no_files() -> None:
    assert paths(step("Grep", path="src"), step("search_flight", destination="BOS", origin="SFO"), step("Read", path="Makefile")) == [
        "Makefile"
    ]


def test_paths_are_relative_to_the_working_folder_where_the_steps_show_it() -> None:
    opened = step("open", "[File: /work/repo/src/app.py (9 lines total)]", args="src/app.py")
    other = step("open", "[File: /work/repo/src/lib/io.py (9 lines total)]", args="/work/repo/src/lib/io.py")
    assert paths(opened, opened, other) == ["src/app.py", "src/lib/io.py"]
    assert paths(other) == ["/work/repo/src/lib/io.py"]
    assert paths(other, step("bash", command="cd /work/repo && pytest -q")) == ["src/lib/io.py"]


@pytest.mark.parametrize(
    ("working_dir", "path"),
    [
        ("/home/ana/shop", "/home/ana/shop/src/cart.py"),
        ("C:\\work\\shop\\", "C:\\work\\shop\\src\\cart.py"),
        ("/home/ana/shop", "src/cart.py"),
    ],
)
def test_paths_are_relative_to_the_folder_the_host_told(working_dir: str, path: str) -> None:
    made = replace(episode([step("Read", file_path=path)]), metadata={"working_dir": working_dir})
    assert files_of(made) == (FileUse("src/cart.py"),)
    assert files_of(replace(made, metadata={"working_dir": 3})) != ()


def test_what_was_worked_on_most_comes_first_and_a_change_counts_twice_a_look() -> None:
    looks = [step("Read", file_path="a.py"), step("Read", file_path="b.py"), step("Read", file_path="b.py")]
    edit = step("Edit", file_path="c.py", old_string="x", new_string="y")
    assert paths(*looks, step("Read", file_path="c.py"), edit) == ["c.py", "b.py", "a.py"]
    assert len(paths(*(step("Read", file_path=f"{i}.py") for i in range(20)))) == 8


def test_artifacts_are_files_too_where_they_are_paths() -> None:
    steps = [step("create", args="reproduce.py"), step("Read", file_path="src/app.py")]
    files = files_of(episode(steps, artifacts=["reproduce.py", "src/lib.py", "a note about app.py"]))
    assert files == (FileUse("reproduce.py", Use.MADE), FileUse("src/lib.py", Use.CHANGED), FileUse("src/app.py"))


def test_files_kept_at_completion_are_not_read_off_again() -> None:
    kept = (FileUse("kept.py", Use.CHANGED),)
    assert files_of(replace(episode([step("Read", file_path="other.py")]), files=kept)) == kept


def test_a_file_is_one_whether_an_attempt_showed_its_folder_or_not() -> None:
    told = replace(episode([], OutcomeKind.SUCCESS), files=(FileUse("src/a.py", Use.CHANGED), FileUse("lib/src/a.py")))
    full = replace(episode([]), files=(FileUse("/home/ana/shop/src/a.py", Use.CHANGED), FileUse("/home/ana/shop/b.py")))
    assert common_files([(told, 0.9), (full, 0.9)]) == (
        RecalledFile("src/a.py", 2, 2, 1),
        RecalledFile("lib/src/a.py", 1, 0, 0),
        RecalledFile("/home/ana/shop/b.py", 1, 0, 0),
    )


def test_an_attempt_that_names_a_file_in_two_ways_counts_once() -> None:
    both = (FileUse("/home/ana/shop/src/a.py", Use.CHANGED), FileUse("src/a.py"))
    assert common_files([(replace(episode([]), files=both), 0.9)]) == (RecalledFile("src/a.py", 1, 1, 0),)


def test_what_a_failed_attempt_made_itself_is_not_told_and_what_a_success_made_is() -> None:
    made = (FileUse("vat.py", Use.MADE), FileUse("a.py"))
    assert [file.path for file in common_files([(replace(episode([]), files=made), 0.9)])] == ["a.py"]
    won = replace(episode([], OutcomeKind.SUCCESS), files=made)
    assert [file.path for file in common_files([(won, 0.9)])] == ["vat.py", "a.py"]


@pytest.mark.parametrize(
    "path", ["reproduce.py", "b/replicate_bug.py", "test_issue.py", "lib/python313.zip", "docs/_build/index.html", "/tmp/x.py"]
)
def test_what_was_made_to_try_a_bug_out_and_products_of_a_build_are_no_files_worked_on(path: str) -> None:
    won = replace(episode([], OutcomeKind.SUCCESS), files=(FileUse(path, Use.MADE), FileUse("src/reproject.py")))
    seen = [SeenFile(path, 9.0, 3)]
    assert [file.path for file in common_files([(won, 0.9)], seen)] == ["src/reproject.py"]


def test_common_files_are_those_of_the_most_alike_attempts_with_what_became_of_them() -> None:
    a, b, far = FileUse("a.py", Use.CHANGED), FileUse("b.py"), FileUse("far.py", Use.CHANGED)
    won = replace(episode([], OutcomeKind.SUCCESS), files=(a, b))
    lost = replace(episode([]), files=(b, a))
    other = replace(episode([], OutcomeKind.SUCCESS), files=(far,))
    assert common_files([(won, 0.9), (lost, 0.6), (other, 0.2)]) == (RecalledFile("a.py", 2, 2, 1), RecalledFile("b.py", 2, 0, 0))
    assert common_files([(won, 0.9), (other, 0.6)])[-1] == RecalledFile("far.py", 1, 1, 1, far=True)
    assert common_files([(lost, 0.9), (won, 0.6), (other, 0.4)])[0].path == "b.py"
    assert common_files([]) == ()


def test_a_file_that_only_a_search_named_before_is_made_by_who_creates_it() -> None:
    found = files_of(episode([step("bash", command="find . -name settings.py"), step("create", path="settings.py")]))
    assert found == (FileUse("settings.py", Use.MADE),)


def test_the_folder_that_a_search_without_one_looked_in_is_the_working_folder() -> None:
    opened = step("open", "[File: /repo/shop/cart.py (9 lines total)]", args="/repo/shop/cart.py")
    for given, said, path in (
        ("cart.py", 'Found 1 matches for "cart.py" in /repo:\n/repo/shop/cart.py', "shop/cart.py"),
        ("voucher", "No matches found for voucher in /repo/shop/cart.py", "/repo/shop/cart.py"),
        ("voucher /repo/shop", "No matches found for voucher in /repo/shop", "/repo/shop/cart.py"),
    ):
        assert paths(step("find", said, args=given), opened) == [path]
