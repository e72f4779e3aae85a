"""Slips of an edit: what is told of a block that lost its indentation, and of a line that came twice."""

from dataclasses import replace

from mcp_memory.domain.episode import FileUse, Step, Use
from mcp_memory.learning.telling.changes_told import changes

from .runs import episode

HEAD = "[File: /r/shop/till.py (90 lines total)]"


def told(*steps: Step, task: str = "The till shows no voucher") -> str:
    placed = tuple(replace(step, index=i) for i, step in enumerate(steps))
    run = replace(episode("e", [], task=task), steps=placed, step_count=len(placed), files=(FileUse("shop/till.py", Use.CHANGED),))
    return "; ".join(deed.text for deed in changes(run))


def shown(*lines: str, first: int = 40) -> Step:
    return Step("open", observation="\n".join([HEAD, *(f"{first + i}:{line}" for i, line in enumerate(lines))]))


def edit(lines: str, text: str) -> Step:
    return Step("edit", arguments={"args": lines, "text": text}, observation=f"{HEAD}\n1:import cash")


METHOD = ("    def _show(self, sum):", "        text = str(sum)", "        if sum < 0:", "            return '-'")
CUT = ("    ...[900 chars cut]...", "x")
AT_THE_MARGIN = (
    "def _show(self, sum):\n    text = str(sum)\n    voucher = self.voucher\n    if sum < 0:\n        return '-'\n    return text"
)


def test_a_method_that_left_its_class_by_an_edit_that_brought_new_lines_too_is_said_to_have_left_it_first() -> None:
    said = told(shown(*METHOD, *CUT), edit("40:49", AT_THE_MARGIN))
    assert said.startswith(
        "shop/till.py:40: moved 4 columns to the left, out of its class: def _show(self, sum):; 42: now voucher = self.voucher"
    )


def test_a_first_line_alone_that_a_log_shows_without_its_indentation_is_no_block_that_moved() -> None:
    stripped = "def _show(self, sum):\n        text = str(sum)\n        voucher = self.voucher\n        return voucher"
    assert "moved" not in told(shown(*METHOD, *CUT), edit("40:49", stripped))


def test_a_decorator_that_an_edit_wrote_a_second_time_is_no_part_of_what_was_changed() -> None:
    before = shown("@cash.once", "def open(till):", "    return till.total", first=40)
    after = shown("@cash.once", "@cash.once", "def open(till):", "    return till.total - till.voucher", first=40)
    doubled = edit("41:42", "@cash.once\ndef open(till):\n    return till.total - till.voucher")
    assert told(before, doubled, after) == "shop/till.py:43: - return till.total + return till.total - till.voucher"
    other = edit("40:42", "@cash.logged\n@cash.once\ndef open(till):\n    return till.total - till.voucher")
    assert told(before, other).endswith("; 40: + @cash.logged")
