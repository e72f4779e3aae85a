"""Of an edit that gives its new text alone, what is new is told by the diff that its run shows in the end."""

from mcp_memory.domain.episode import Step
from mcp_memory.learning.reading.brief import brief

BLOCK = "    check_fitted(self)\n    if n is None:\n        n = self.n\n    n = int(n)\n    return self.tree.query(X, n)"
EDIT = Step("edit", arguments={"args": "10:14", "text": BLOCK}, observation="[File: /r/base.py (90 lines total)]")
HEAD = "diff --git a/base.py b/base.py\n--- a/base.py\n+++ b/base.py\n@@ -10,4 +10,5 @@ def kneighbors(self, X, n=None):\n"
CONTEXT = "     check_fitted(self)\n     if n is None:\n         n = self.n\n"


def told(diff: str) -> str:
    return brief([EDIT, Step("submit", observation=diff)], 0)


def test_lines_that_the_diff_shows_as_new_are_told_and_no_others() -> None:
    said = told(f"{HEAD}{CONTEXT}+    n = int(n)\n     return self.tree.query(X, n)\n")
    assert "+ n = int(n)" in said
    assert "check_fitted" not in said
    assert "now" not in said


def test_lines_that_stand_there_unchanged_are_not_told_as_what_the_edit_put_there() -> None:
    moved = HEAD.replace("@@ -10,4 +10,5 @@", "@@ -3,2 +3,3 @@")
    said = told(f"{moved}+X = 1\n{CONTEXT}     n = int(n)\n     return self.tree.query(X, n)\n")
    assert "check_fitted" not in said
    assert "base.py" in said


def test_without_a_diff_it_is_told_what_stands_there_now() -> None:
    assert "now" in brief([EDIT], 0)
