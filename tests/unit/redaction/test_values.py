"""What a value says for itself."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.redaction.values import is_plainly_harmless

ENDS = re.compile(r"(?i:.*[_-](?:here|placeholder))")


@given(st.lists(st.sampled_from(["tok3n", "_", "-", "HERE", "here", "Placeholder", "\n", "9xQ", " "]), max_size=7).map("".join))
def test_a_value_that_ends_as_placeholders_do_is_harmless_however_long(text: str) -> None:
    if ENDS.fullmatch(text.strip()):
        assert is_plainly_harmless(text)
        assert is_plainly_harmless("x9Q-" * 500 + text.strip())


def test_what_only_begins_so_is_none() -> None:
    assert not is_plainly_harmless("K9x-here-Q7w")
    assert not is_plainly_harmless("K9xQ7whereas\n-here")
