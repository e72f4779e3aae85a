"""What names one case of many."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.learning.telling.same_case import ids_in

PLAIN = re.compile(
    r"\b(?:(?=[A-Z\d]*\d)(?=[A-Z\d]*[A-Z])(?![A-Z]+\d{1,3}\b)(?!\d+[A-Z]+\b)[A-Z\d]{5,}|[A-Za-z]\w*_\d{3,}|(?=[\da-f]*\d)(?=[\da-f]*[a-f])[\da-f]{8,})\b"
)


@given(st.lists(st.text("AZaf_09é٣-", max_size=12), max_size=6).map(" ".join))
def test_ids_are_those_that_one_pattern_over_the_whole_text_finds(text: str) -> None:
    assert ids_in(text) == frozenset(PLAIN.findall(text))
