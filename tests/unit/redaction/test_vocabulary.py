"""Words that ask for nothing are met once: later texts are ruled out by what is left, and nothing is found otherwise for that."""

import random
import re
from typing import Any

import pytest

from mcp_memory.redaction import redact, scanner
from mcp_memory.redaction.index import whole_table
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.vocabulary import _MAX_KNOWN, Known, Vocabulary

PROSE = "an attempt that worked is told before one that did not, with the files it changed"


@pytest.fixture
def known() -> Known:
    """Return what nothing was met by yet, but asked for as the whole table asks."""
    whole, heads, parts = whole_table().asked()
    return Known(whole, heads, parts)


def test_words_that_ask_for_nothing_are_left_out_and_kept(known: Known) -> None:
    for _ in range(2):
        words = Vocabulary(PROSE.encode(), known)
        assert not words.words
        assert words.joined == " "
        assert len(known.harmless) == 15


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


def test_of_another_form_of_a_text_only_the_words_that_are_new_are_asked(known: Known) -> None:
    coloured = Vocabulary(b"password1 pass\x1b[0mword2 secret3", known)
    bare = Vocabulary(b"password1 password2 secret3", known, coloured)
    assert bare.words == {b"password2"}
    assert bare.all_words() >= {b"password1", b"password2", b"secret3"}
    assert bare.has("secret")
    assert not bare.has("token")


def glued(rng: random.Random) -> str:
    """Return rules' keywords, examples and near misses side by side, with and without a number that makes each of them new."""
    found = [re.sub(r"\{\w(\d+)\}", lambda size: ("16C7e42F29" * 10)[: int(size[1])], rule.found) for rule in TABLE]
    pieces = [piece for rule in TABLE for piece in (*rule.keywords, rule.spared)] + found * 2 + ["\\n", "\\", " ", "\n", "AWS", "é", "key="]
    part = "".join(rng.choices(pieces, k=rng.randint(1, 5)))
    is_numbered = rng.random() < 0.5
    return "".join(f"{part}{number if is_numbered else ''}" for number in range(rng.randint(1, 40)))


def test_the_words_kept_for_the_second_look_find_what_words_met_anew_would(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(4)
    texts = [glued(rng) for _ in range(300)]
    kept = [redact(text) for text in texts]
    look = scanner._look

    def anew(sight: Sight, vocabularies: list[Vocabulary], *more: Any) -> Any:
        return look(sight, [Vocabulary(sight.codes, scanner._known())], *more)

    monkeypatch.setattr(scanner, "_look", anew)
    assert [redact(text) for text in texts] == kept
    assert sum(bool(rules) for _, rules in kept) > 100


def test_the_words_of_a_text_with_a_secret_are_told_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    class Recorded(Vocabulary):
        def __init__(self, codes: bytes, known: Known | None = None) -> None:
            sizes.append(len(codes))
            super().__init__(codes, known)

    monkeypatch.setattr(scanner, "Vocabulary", Recorded)
    text = "".join(f"nvapi-password{number} " for number in range(200)) + "curl -u bob:hunter2 http://x.test"
    assert redact(text)[1] == ("curl-user",)
    assert sizes[0] == len(text)
    assert sum(sizes[1:]) < 150  # what stands beside the marker
