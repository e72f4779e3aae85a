"""What a step changed, and which steps of a fix are shown."""

import pytest

from mcp_memory.domain.episode import FileUse, Step, StepStatus, Use
from mcp_memory.learning.reading.brief import brief
from mcp_memory.learning.reading.changes import Change, change_of
from mcp_memory.learning.reading.edits import GAP, Hunk, patched_by
from mcp_memory.learning.reading.step_values import key_steps
from mcp_memory.verbs.presenting import key_step_lines

SHOWN = "[File: /repo/admin_modify.py (200 lines total)]\n101:def f():\n102:    show = save_as\n103:    return show\n"


def shown(path: str, *lines: str) -> Step:
    """A file as an editor with an open file shows it, its lines with their numbers."""
    numbered = "\n".join(f"{number}:{line}" for number, line in enumerate(lines, 1))
    return Step("open", observation=f"[File: {path} ({len(lines)} lines total)]\n{numbered}")


def test_of_a_block_that_was_not_shown_as_a_whole_only_lines_that_are_new_are_told() -> None:
    text = 'def total(self):\n    """Sum.\n\n    Exactly.\n    """\n    cents = self.cents\n    return round(sum(cents), 2)'
    edit = Step("edit", arguments={"args": "8:14", "text": text}, observation="[File: cart.py (20 lines total)]")
    change = change_of([shown("cart.py", "def total(self):", "    cents = self.cents"), edit], 1)
    assert change is not None
    assert (change.added, change.then) == ("return round(sum(cents), 2)", ())


def test_an_edit_of_a_range_of_lines_shows_the_words_that_came() -> None:
    steps = [
        Step("open", arguments={"args": "admin_modify.py"}, observation=SHOWN, index=0),
        Step("edit", arguments={"args": "102:102", "text": "    show = save_as and has_add_permission"}, observation=SHOWN, index=1),
    ]
    assert str(change_of(steps, 1)) == "repo/admin_modify.py:102: + and has_add_permission"
    assert key_step_lines(steps, [0, 1], 120)[0] == "#1 edit → changed repo/admin_modify.py:102: + and has_add_permission"
    assert change_of(steps, 0) is None


def test_an_edit_of_an_old_text_by_a_new_one_shows_both_lines_where_both_say_something() -> None:
    edit = Step("Edit", arguments={"file_path": "src/a.py", "old_string": "x = 1\ny = 2", "new_string": "x = 1\ny = 3"})
    assert str(change_of([edit], 0)) == "src/a.py: - y = 2 + y = 3"
    failed = Step("Edit", arguments=edit.arguments, status=StepStatus.ERROR)
    assert change_of([failed], 0) is None


def test_a_patch_is_read_by_its_first_file_that_was_there() -> None:
    diff = (
        "diff --git a/reproduce_bug.py b/reproduce_bug.py\n+++ b/reproduce_bug.py\n@@ -0,0 +1,2 @@\n+import a\n+a.f()\n"
        "diff --git a/src/cart.py b/src/cart.py\n--- a/src/cart.py\n+++ b/src/cart.py\n@@ -7,1 +7,1 @@\n-total = 0\n+total = Decimal(0)\n"
    )
    submit = Step("submit", observation=diff)
    assert str(change_of([submit], 0)) == "src/cart.py:7: - total = 0 + total = Decimal(0)"
    patch = "*** Begin Patch\n*** Update File: a.py\n@@ def f\n-    return 1\n+    return 2\n*** End Patch"
    assert str(change_of([Step("apply_patch", arguments={"input": patch})], 0)) == "a.py: - return 1 + return 2"


@pytest.mark.parametrize("text", ["*** Begin of the list", "a *** b", "*** Update File: ", "*** End Patch"])
def test_what_only_looks_like_a_patch_is_none(text: str) -> None:
    assert change_of([Step("note", "add", {"text": text})], 0) is None


def test_a_file_written_as_a_whole_is_named_with_its_lines_where_they_are_few_and_what_only_looks_is_described() -> None:
    written = Step("bash", arguments={"command": "cat > src/new.py <<'EOF'\nprint()\nEOF"})
    assert str(change_of([written], 0)) == "src/new.py: now print()"
    of_many_lines = Step("write", arguments={"path": "src/new.py", "content": "a = 1\nb = 2\n\nc = 3\nd = 4\n"})
    assert str(change_of([of_many_lines], 0)) == "src/new.py"
    assert brief([Step("bash", arguments={"command": "grep -n x a.py"})], 0) == "bash `grep -n x a.py`"


def test_the_last_change_is_a_key_step_and_scratch_files_are_not() -> None:
    def edit(path: str, new: str) -> Step:
        return Step("edit", arguments={"path": path, "old": "a", "new": new})

    steps = [edit("src/a.py", "b"), edit("src/a.py", "c"), edit("reproduce.py", "d"), edit("mine.py", "e"), *(Step(k) for k in "lmn")]
    values = [0.0, 0.0, 0.9, 0.8, 0.5, 0.6, 0.7]
    assert 1 in key_steps(steps, values, files=[FileUse("mine.py", Use.MADE)])
    assert 0 not in key_steps(steps, values)
    lines = key_step_lines([Step(s.tool, arguments=s.arguments, index=i) for i, s in enumerate(steps)], [1, 2], 100)
    assert [line.split()[0] for line in lines] == ["#1", "#2"]


def test_of_a_change_the_line_nearest_the_error_it_answered_is_told_and_as_new_only_where_that_is_known() -> None:
    text = "for name, step in self.estimators:\n    if step is not None and not has_fit(step):\n        raise ValueError(name)"
    edit = Step("edit", arguments={"args": "80:83", "text": text}, observation="[File: /r/voting.py (488 lines total)]")
    said = "AttributeError: 'NoneType' object has no attribute 'fit'"
    both = "edit /r/voting.py:80: now for name, step in self.estimators: ⏎ if step is not None and not has_fit(step):"
    assert brief([edit], 0, near=said) == brief([edit], 0) == both
    assert brief([edit], 0, 80, near=said) == "edit /r/voting.py:81: now … ⏎ if step is not None and not has_fit(step):"


def test_a_line_that_a_host_cut_is_no_line_neither_of_an_edit_nor_of_what_was_shown() -> None:
    text = "a = 1\nb = [\n...[3000 chars cut]...\n7]\nc = 3"
    edit = Step("Edit", arguments={"file_path": "src/a.py", "old_string": "a = 0\nb = [\n...[2990 chars cut]...\n7]", "new_string": text})
    assert change_of([edit], 0) == Change("src/a.py", 0, "", "a = 1")
    shown = "[File: a.py (90 lines total)]\n39:a = 1\n40:b = 2 + \n...[1401 chars cut]...\n5:d = 4\n86:e = 5\n"
    steps = [Step("open", observation=shown), Step("edit", arguments={"args": "40:40", "text": "b = 3"}, observation=shown)]
    assert str(change_of(steps, 1)) == "a.py:40: now b = 3", "what the line said as a whole is not known"


def test_lines_of_several_places_are_not_told_as_neighbours_and_what_is_not_told_is_marked() -> None:
    before, after = "a = 1\nb = 2\nc = 3\nd = 4", "a = 5\nb = 2\nc = 6\nd = 7"
    edit = Step("Edit", arguments={"file_path": "src/a.py", "old_string": before, "new_string": after})
    assert brief([edit], 0) == "Edit src/a.py: - c = 3 ⏎ d = 4 + c = 6 ⏎ d = 7; - a = 1 + a = 5"
    assert str(change_of([edit], 0)) == "src/a.py: - a = 1 ⏎ … + a = 5 ⏎ …"
    patch = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n-a = 1\n+a = 5\n b\n-c = 3\n+c = 6\n"
    assert brief([Step("bash", observation=patch)], 0) == "bash a.py:1: - a = 1 + a = 5; 3: - c = 3 + c = 6"


def test_a_comment_that_came_or_went_is_told_as_that_and_not_as_code() -> None:
    edit = Step("Edit", arguments={"file_path": "src/a.py", "old_string": "# as usual", "new_string": "# as never"})
    assert brief([edit], 0) == "Edit src/a.py: comment only"
    over = Step("Edit", arguments={"file_path": "src/a.py", "old_string": "total = 0", "new_string": "# look into this"})
    assert brief([over], 0) == "Edit src/a.py: - total = 0 + a comment"


def test_a_line_that_went_is_told_with_the_one_that_took_its_place_and_not_with_another_that_came_above() -> None:
    old = "def total(self):\n    known = self.vouchers\n    if self.voucher not in known:\n        raise Unknown(self.voucher)"
    new = (
        "@priced\ndef total(self):\n    known = self.vouchers\n    family = self.voucher.partition('-')[0]\n"
        "    if self.voucher not in known and family not in known:\n        raise Unknown(self.voucher)"
    )
    edit = Step("Edit", arguments={"file_path": "src/cart.py", "old_string": old, "new_string": new})
    assert str(change_of([edit], 0)) == "src/cart.py: + … ⏎ and family not in known"
    patch = (
        "diff --git a/cart.py b/cart.py\n--- a/cart.py\n+++ b/cart.py\n@@ -8,4 +8,6 @@\n+@priced\n def total(self):\n"
        "     known = self.vouchers\n-    if self.voucher not in known:\n+    family = self.voucher.partition('-')[0]\n"
        "+    if family not in known:\n         raise Unknown(self.voucher)\n"
    )
    told = "cart.py:12: - if self.voucher not in known: + … ⏎ if family not in known:"
    assert str(change_of([Step("bash", observation=patch)], 0)) == told


def test_of_several_lines_that_went_the_one_like_a_line_that_came_is_told_first() -> None:
    old = "rates = load(path)\nprint('taken', 3)\nvoucher = self.voucher.value"
    edit = Step("Edit", arguments={"file_path": "cart.py", "old_string": old, "new_string": "voucher = self.voucher.value or 0"})
    assert str(change_of([edit], 0)) == "cart.py: - voucher = self.voucher.value ⏎ … + voucher = self.voucher.value or 0"


def test_of_a_diff_that_was_cut_it_is_not_said_what_came_in_the_last_place() -> None:
    cut = "diff --git a/cart.py b/cart.py\n--- a/cart.py\n+++ b/cart.py\n@@ -7,9 +7,9 @@\n-total = a\n-x\n...[900 chars cut]...\n y\n+z"
    (patched,) = patched_by(Step("bash", observation=cut))
    assert patched.hunks == (Hunk(7, ("total = a",), (GAP,)),)


def test_of_an_edit_of_lines_that_nobody_saw_its_body_is_told_and_not_the_heading_that_may_have_stood_there() -> None:
    text = "def kneighbors(self, X=None):\n    n_neighbors = int(n_neighbors)\n    return X"
    step = Step("edit", arguments={"args": "374:380", "text": text}, observation="[File: /r/neighbors/base.py (900 lines total)]\n")
    change = change_of([step], 0)
    assert change is not None
    assert "now n_neighbors = int(n_neighbors)" in str(change)


def test_of_an_edit_of_which_a_heading_alone_is_known_its_place_is_told() -> None:
    text = 'def kneighbors(self, X=None):\n    """Find them.'
    step = Step("edit", arguments={"args": "374:380", "text": text}, observation="[File: /r/neighbors/base.py (900 lines total)]\n")
    assert brief([step], 0) == "edit /r/neighbors/base.py:374"
