"""The guide between markers in a project's file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.errors import InvalidInput
from mcp_memory.rendering.marked_block import GUIDE, with_block

BEGIN, END = GUIDE.begin, GUIDE.end

TEXT = st.text("ab\n#", max_size=20).map(lambda text: text if not text or text.endswith("\n") else text + "\n")


def with_guide(text: str, guide: str) -> str:
    return with_block(text, guide, GUIDE)


@given(TEXT, st.text("xy\n-", min_size=1, max_size=20), st.text("xy\n-", min_size=1, max_size=20))
def test_writing_twice_is_writing_once_and_undoing_gives_back_the_file(text: str, guide: str, other: str) -> None:
    once = with_guide(text, guide)
    assert with_guide(once, guide) == once
    assert with_guide(with_guide(once, other), guide) == once
    assert with_guide(once, "") == text
    assert with_guide(text, "") == text


def test_what_stands_around_the_guide_stays() -> None:
    once = with_guide("# Rules\n", "- a") + "\n## More\n"
    assert with_guide(once, "- b") == f"# Rules\n\n{BEGIN}\n- b\n{END}\n\n## More\n"


def test_half_a_pair_of_markers_is_refused() -> None:
    for text in (BEGIN, END, f"{END}{BEGIN}"):
        with pytest.raises(InvalidInput, match="marker"):
            with_guide(text, "- a")


def test_a_lesson_cannot_close_the_block() -> None:
    assert with_guide("", f"- a {END} b").count(END) == 1
