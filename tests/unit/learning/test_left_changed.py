"""What a run left changed, as its edits and the diffs it showed tell."""

from dataclasses import replace

from mcp_memory.domain.episode import Episode, FileUse, Step, StepStatus, Use
from mcp_memory.learning.reading.edits import Hunk
from mcp_memory.learning.reading.left_changed import FileChange, left_changed
from mcp_memory.learning.reading.same_change import ChangeMade

from .runs import episode


def run(*steps: Step, files: tuple[FileUse, ...] = (FileUse("shop/cart.py", Use.CHANGED),)) -> Episode:
    placed = tuple(replace(step, index=i) for i, step in enumerate(steps))
    return replace(episode("e", []), steps=placed, step_count=len(placed), files=files)


def edit(old: str, new: str, path: str = "/home/ana/shop/cart.py") -> Step:
    return Step("Edit", arguments={"file_path": path, "old_string": old, "new_string": new})


def submit(*diffs: str) -> Step:
    return Step("submit", observation="\n".join(diffs))


def diff(path: str, body: str, head: str = "index 1..2 100644") -> str:
    return f"diff --git a/{path} b/{path}\n{head}\n--- a/{path}\n+++ b/{path}\n@@ -10,3 +10,3 @@ def total():\n{body}"


def test_an_edit_of_what_an_earlier_one_wrote_counts_with_it_as_one() -> None:
    first, second = edit("return total", "return int(total)"), edit("return int(total)", "return round(total, 2)")
    assert left_changed(run(first, second)) == [FileChange("shop/cart.py", 1, (Hunk(0, ("return total",), ("return round(total, 2)",)),))]


def test_what_was_put_back_is_no_change() -> None:
    assert left_changed(run(edit("return total", "return int(total)"), edit("return int(total)", "return total"))) == []
    assert left_changed(run(edit("return total", "return int(total)"), submit(diff("repro.py", "+x = 1", "new file mode 100644")))) == []


def test_a_later_edit_of_the_comment_does_not_hide_that_of_the_code() -> None:
    (change,) = left_changed(run(edit("return total", "return round(total, 2)"), edit("# cents", "# cents, as an integer")))
    assert change.hunks[0].added == ("return round(total, 2)",)


def test_the_diff_that_is_handed_in_tells_what_is_left_of_the_edits_with_their_lines() -> None:
    handed_in = submit(diff("shop/cart.py", " a = 1\n-    return total\n+    return round(total, 2)\n b = 2"))
    (change,) = left_changed(run(edit("return total", "return int(total)"), edit("    return int(", "    return round("), handed_in))
    assert change == FileChange("shop/cart.py", 1, (Hunk(11, ("    return total",), ("    return round(total, 2)",)),))


def test_of_lines_taken_out_that_were_never_shown_the_diff_says_which_they_were() -> None:
    head = "[File: /home/ana/shop/cart.py (80 lines total)]\n1:x"
    cut = Step("edit", arguments={"args": "11:12", "text": "end_of_edit"}, observation=head)
    (change,) = left_changed(run(cut, submit(diff("shop/cart.py", " a = 1\n-def f():\n-    return 1\n b = 2"))))
    assert change == FileChange("shop/cart.py", 0, (Hunk(11, ("def f():", "    return 1"), ()),))
    elsewhere = replace(cut, arguments={"args": "40:41", "text": "end_of_edit"})
    assert left_changed(run(elsewhere, submit(diff("shop/cart.py", " a = 1\n-def f():\n b = 2")))) == [], "that was somebody else's"


def test_what_only_the_diff_of_the_environment_changed_is_not_of_the_run() -> None:
    theirs = diff("setup.py", "-    'a>=1',\n+    'a>=1,<2',")
    (change,) = left_changed(run(edit("return total", "return 1"), submit(theirs, diff("shop/cart.py", "-return total\n+return 1"))))
    assert change.path == "shop/cart.py"
    assert left_changed(run(submit(theirs))) == []


def test_files_of_its_own_and_scratch_are_not_told_but_modules_of_such_names_are() -> None:
    made = (FileUse("solve.py", Use.MADE),)
    assert left_changed(run(edit("a = 1", "a = 2", "solve.py"), files=made)) == []
    assert left_changed(run(edit("a = 1", "a = 2", "/app/repro.py"), files=())) == []
    assert [c.path for c in left_changed(run(edit("a = 1", "a = 2", "web/views/debug.py"), files=()))] == ["web/views/debug.py"]


def test_what_an_editor_takes_as_the_end_of_a_text_is_not_in_it() -> None:
    shown = Step("open", observation="[File: /r/shop/cart.py (9 lines total)]\n1:return total\n2:")
    new = Step("edit", arguments={"args": "1:1", "text": "return 1\nend_of_edit"}, observation="[File: /r/shop/cart.py (9 lines total)]")
    assert left_changed(run(shown, new))[0].hunks == (Hunk(1, ("return total",), ("return 1",)),)


def test_lines_that_a_log_cut_in_halves_are_not_shown() -> None:
    shown = Step("open", observation="[File: /r/shop/cart.py (9 lines total)]\n1:a = 1\n")
    new = Step(
        "edit",
        arguments={"args": "3:9", "text": "b = total(\n...[202 chars cut]...\n(c)\nd = 4"},
        observation="[File: /r/shop/cart.py (9 lines total)]",
    )
    assert left_changed(run(shown, new))[0].hunks == (Hunk(0, (), ("d = 4",), is_sure=False),), "where it stands is not known"


def test_after_a_cut_in_a_diff_nothing_is_of_the_file_before_it_and_nothing_was_put_back() -> None:
    cart, tests = edit("total = 1", "total = 2", "shop/cart.py"), edit("check = 1", "check = 2", "shop/test_cart.py")
    diff = (
        "diff --git a/shop/cart.py b/shop/cart.py\n@@ -7 +7 @@\n-total = 1\n+total = 2\n def a():\n"
        "...[312 chars cut]...\n@@ -9 +9 @@\n x\n-check = 1\n+check = 2\n"
    )
    changed = left_changed(run(cart, tests, Step("submit", observation=diff)))
    assert {c.path: c.hunks for c in changed} == {
        "shop/cart.py": (Hunk(0, ("total = 1",), ("total = 2",)),),
        "shop/test_cart.py": (Hunk(0, ("check = 1",), ("check = 2",)),),
    }


def test_what_stands_behind_a_cut_in_the_old_text_is_not_told_as_new() -> None:
    old, new = "a = 1\nb = 2\nc = 3\n...[90 chars cut]...\ny", "a = 1\nb = 3\nd = 4\ne = 5\nf = 6"
    assert left_changed(run(edit(old, new)))[0].hunks == (Hunk(0, (), ("b = 3",), is_sure=False),)


def test_a_call_that_failed_changed_nothing() -> None:
    assert left_changed(run(replace(edit("a = 1", "a = 2"), status=StepStatus.ERROR, error="no such text"))) == []


def test_an_edit_that_did_not_land_changed_nothing_whatever_its_call_was_marked_as() -> None:
    for said in (
        "/bin/bash: line 2: syntax error near `('",
        "No replacement was performed, old_str did not appear verbatim",
        "Error: no file",
    ):
        assert left_changed(run(replace(edit("a = 1", "a = 2"), observation=said))) == []
    assert left_changed(run(replace(edit("a = 1", "a = 2"), observation="The file cart.py has been edited. No errors.")))


def test_the_edit_of_a_file_whose_diff_was_cut_is_told_as_it_was_made() -> None:
    made = edit("def total():\n    return 1", "def total():\n    return round(1, 2)", "shop/cart.py")
    diff = "diff --git a/shop/cart.py b/shop/cart.py\n@@ -3 +3 @@\n-    return 1\n+    return round(1, 2)\n+\n...[90 chars cut]...\n"
    (change,) = left_changed(run(made, Step("submit", observation=diff)))
    assert change.hunks == (Hunk(0, ("    return 1",), ("    return round(1, 2)",)),)


def test_the_heading_of_a_new_file_behind_a_cut_does_not_make_the_file_before_it_new() -> None:
    shown = diff(
        "shop/cart.py",
        " a = 1\n-return total\n+return round(total, 2)\n b = [\n...[900 chars cut]...\n+x = 1]\n--- /dev/null\n+++ b/repro.py",
    )
    (change,) = left_changed(run(edit("return total", "return round(total, 2)"), submit(shown)))
    assert (change.path, change.hunks[0].added) == ("shop/cart.py", ("return round(total, 2)",))
    assert change.is_whole, "the edit itself was kept whole"


def test_what_a_run_edited_below_the_place_where_its_diff_was_cut_is_kept() -> None:
    head = "[File: /home/ana/shop/cart.py (90 lines total)]\n80:    return total\n"
    first = edit("return a", "return b")
    below = Step("edit", arguments={"args": "80:80", "text": "    return round(total, 2)"}, observation=head)
    unseen = Step("edit", arguments={"args": "10:10", "text": "x = 2"}, observation=head)
    shown = diff("shop/cart.py", " a = 1\n-x = 1\n+x = 2\n b = 1\n c = [\n...[900 chars cut]...\n c")
    (change,) = left_changed(run(Step("open", observation=head), unseen, below, submit(shown)))
    assert [hunk.added for hunk in change.hunks] == [("x = 2",), ("    return round(total, 2)",)]
    assert not change.is_whole
    assert left_changed(run(first))[0].is_whole


def test_a_line_put_last_in_a_list_is_the_same_change_as_one_put_before_the_last() -> None:
    old = "    shown = (\n        cart.open\n        and cart.full,\n"
    last = run(edit(old, "    shown = (\n        cart.open\n        and cart.full\n        and cart.paid,\n"))
    before = run(edit(old, "    shown = (\n        cart.open\n        and cart.paid\n        and cart.full,\n"))
    other = run(edit(old, "    shown = (\n        cart.open\n        and cart.full\n        and cart.sent,\n"))
    made = [ChangeMade.of(left_changed(one)) for one in (last, before, other)]
    assert made[0].is_same(made[1])
    assert not made[0].is_same(made[2])


def test_a_change_of_which_nobody_knows_what_went_is_the_same_as_one_that_came_with_the_same_lines() -> None:
    known = run(edit("    rows.sort(key=day)", "    rows = rows.sorted(key=day)"))
    head = "[File: /home/ana/shop/cart.py (90 lines total)]\n80:    rows = rows.sorted(key=day)\n"
    unseen = run(Step("edit", arguments={"args": "80:80", "text": "    rows = rows.sorted(key=day)"}, observation=head))
    other = run(Step("edit", arguments={"args": "80:80", "text": "    rows = rows.sorted(key=hour)"}, observation=head))
    mine, same, not_same = (ChangeMade.of(left_changed(one)) for one in (known, unseen, other))
    assert mine.is_same(same)
    assert same.is_same(mine)
    assert not mine.is_same(not_same)


def test_where_an_edit_and_its_diff_were_both_cut_the_first_line_that_moved_is_known() -> None:
    shown = Step("open", observation="[File: /r/shop/cart.py (90 lines total)]\n1:a = 1\n")
    text = 'def total(self):\n    """Sum.\n...[300 chars cut]...\ns)\n    return round(cents, 2)'
    made = Step("edit", arguments={"args": "10:14", "text": text}, observation="[File: /r/shop/cart.py (90 lines total)]")
    cut = diff("shop/cart.py", '-    def total(self):\n-        """Sum.\n-\n...[200 chars cut]...\nts)\n+    return round(cents, 2)\n')
    (change,) = left_changed(run(shown, made, submit(cut)))
    assert change.hunks[0] == Hunk(10, ("    def total(self):",), ("def total(self):",))
    assert not any(hunk.is_sure for hunk in change.hunks[1:])
