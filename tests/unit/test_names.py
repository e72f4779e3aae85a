"""Names and tags are one line of characters that somebody can see."""

import pytest

from mcp_memory.domain.requests.kinds import Name, Tags


@pytest.mark.parametrize("hidden", ["\u200b", "\u2060", "\u3164", "\ufeff", "\U000e0041", "\u202e", "\x1b", "\u180e", "\u200f"])
def test_a_name_has_no_character_that_nobody_sees(hidden: str) -> None:
    assert Name().read(f"we{hidden}b") == "web"
    assert Tags().read([f"a{hidden}", "a"]) == ("a",)


def test_a_line_break_in_a_name_becomes_a_blank() -> None:
    assert Name().read("shop\n# Orders\r\n\u2028now") == "shop # Orders now"


@pytest.mark.parametrize("word", ["می‌خواهم", "क्‍ष", "naïve café", "日本語"])
def test_joiners_inside_words_that_need_them_stay(word: str) -> None:
    assert Name().read(word) == word
