"""Words that ask for nothing are met once: later texts are ruled out by what is left, and nothing is found otherwise for that."""

import random

import pytest

from mcp_memory.redaction import redact, scanner
from mcp_memory.redaction.shapes import whole_table
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.vocabulary import _MAX_KNOWN, Known, Vocabulary

PROSE = "an attempt that worked is told before one that did not, with the files it changed"


@pytest.fixture
def known() -> Known:
    """Return what nothing was met by yet, but asked for as the whole table asks."""
    whole, heads, parts = whole_table().asked()
    return Known(whole, heads, parts)


def test_words_that_ask_for_nothing_are_left_out_the_second_time(known: Known) -> None:
    first = Vocabulary(PROSE.encode(), known)
    second = Vocabulary(PROSE.encode(), known)
    assert len(first.words) == 15
    assert not second.words
    assert second.joined == " "


def test_a_telling_word_is_never_left_out_nor_what_follows_the_letter_of_a_line_end(known: Known) -> None:
    for _ in range(3):
        assert Vocabulary(b"curl here", known).words >= {b"curl"}
        assert Vocabulary(b"\\ncurl here", known).words >= {b"curl"}
        assert Vocabulary(b"\\nghp_x", known).words >= {b"ghp"}
    assert Vocabulary(b"curl", known).are_known
    assert not Vocabulary(b"0f3a9c77d1e2 curl", known).are_known  # hexadecimal digits would fill what is kept


def test_what_is_kept_is_bounded(known: Known) -> None:
    letters = "abcdefghijklm"
    rng = random.Random(1)
    for _ in range(60):
        Vocabulary(" ".join("x" + "".join(rng.choices(letters, k=8)) for _ in range(1_000)).encode(), known)
        assert len(known.harmless) <= _MAX_KNOWN + 1_000


def test_every_rule_finds_the_same_whatever_was_met_before(monkeypatch: pytest.MonkeyPatch, known: Known) -> None:
    spared = [rule.spared for rule in TABLE]
    texts = [f"{PROSE} {text}\\n{rule.found} {PROSE}" for text, rule in zip(spared, TABLE, strict=True)]
    warmed = [[redact(text) for text in texts] for _ in range(2)]
    monkeypatch.setattr(scanner, "_known", lambda: None)  # every word counts
    assert warmed == [[redact(text) for text in texts]] * 2


def test_letters_that_grow_when_lowered_leave_the_places_of_secrets_as_they_are() -> None:
    secret = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    assert redact(f"İstanbul İÇ ß PASSWORD {secret} Ä") == ("İstanbul İÇ ß PASSWORD [redacted:github-token] Ä", ("github-token",))
