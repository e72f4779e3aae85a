"""What a value says for itself."""

import re
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_memory.redaction import names
from mcp_memory.redaction.entropy import bits_per_char, is_diverse
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


PATTERNS = f"{names._PASSWORD_NAME}|{names._KEY_NAME}|{names._WEAK_NAME}"
PIECES = [*re.findall(r"[a-z]{2,}", PATTERNS), "DSN", "PAT_1", "SAS", "_", "X", "1", "path"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join))
@settings(max_examples=500)
def test_a_name_without_a_telling_part_says_nothing_by_the_patterns_either(name: str) -> None:
    with patch.object(names, "_may_tell", return_value=True):
        expected = names.kind_of.__wrapped__(name)
    assert names.kind_of.__wrapped__(name) == expected


@given(st.text("abcdefXYZ0189-", max_size=60), st.sampled_from([2.0, 2.5, 3.0]))
def test_how_many_different_characters_a_text_has_tells_its_entropy_as_counting_them_does(text: str, bits: float) -> None:
    assert is_diverse(text, bits) == (bits_per_char(text) >= bits)
