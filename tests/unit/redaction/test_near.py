"""A later look of redaction is near the markers only: it finds what a look at everything would, and takes work for that alone."""

import random
import re
from collections.abc import Sequence
from typing import Any

import pytest

from mcp_memory.redaction import redact, scanner
from mcp_memory.redaction.bare import Bare
from mcp_memory.redaction.near import REACH, Near, near
from mcp_memory.redaction.runs import kind, outline, runs
from mcp_memory.redaction.sight import FEW, Sight
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import Work

PROSE = ("an attempt that worked is told before one that did not\n" * 8 + "it asks for the token: and the key of its login\n") * 5


def glued(rng: random.Random) -> str:
    """Return rules' examples, keywords and near misses side by side, some of them within ordinary text."""
    found = [re.sub(r"\{\w(\d+)\}", lambda size: ("16C7e42F29" * 10)[: int(size[1])], rule.found) for rule in TABLE]
    between = ["\\n", " ", "\n", "é", "key=", "password: ", "'", '"', "\x1b[0m", "\u200b"]
    pieces = found * 2 + [piece for rule in TABLE for piece in (*rule.keywords, rule.spared)] + between * 20
    return "".join(rng.choices(pieces, k=rng.randint(2, 8)))


def long_text(rng: random.Random) -> str:
    """Return a text so long that what is near its few secrets is little of it."""
    parts = [PROSE[rng.randrange(100) :] * rng.randint(1, 4) for _ in range(4)]
    return "".join(part + glued(rng) for part in parts) + PROSE


def test_near_the_markers_is_found_what_a_look_at_everything_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(11)
    texts = [long_text(rng) for _ in range(60)]
    asked = []

    def recorded(markers: Sequence[tuple[int, int]], size: int) -> Near | None:
        asked.append(near(markers, size))
        return asked[-1]

    monkeypatch.setattr(scanner, "near", recorded)
    told = [redact(text) for text in texts]
    assert sum(stretches is not None for stretches in asked) > 30
    monkeypatch.setattr(scanner, "near", lambda markers, size: None)
    assert [redact(text) for text in texts] == told
    assert [redact(clean)[0] for clean, _ in told] == [clean for clean, _ in told]


def test_a_later_look_takes_no_work_for_what_is_far_from_the_markers(monkeypatch: pytest.MonkeyPatch) -> None:
    spent = []
    look = scanner._look

    def recorded(sight: Sight, vocabularies: list[Vocabulary], work: Work, *more: Any) -> Any:
        before = work.spent
        found = look(sight, vocabularies, work, *more)
        spent.append(work.spent - before)
        return found

    monkeypatch.setattr(scanner, "_look", recorded)
    flood = "the login of machine one asks: password of bob. key: x\n" * 1_000
    assert redact(f"{flood}card 4111111111111111r8_{'a1B2' * 9}x\n{flood}")[1] == ("card-number", "replicate-token")
    first, *later = spent
    assert len(later) == 2
    assert max(later) < first / 8


def test_what_a_marker_uncovers_the_word_of_is_found_everywhere_at_once() -> None:
    piece = "root:hunter22 | chpasswd and ordinary words after it 123456"  # `echo` is no word of its own but after the card's number
    text = f"card 4111111111111111echo {piece}" + f"{PROSE}123456echo {piece}" * 40
    clean, found = redact(text)
    assert "unjudged" not in found
    assert "hunter22" not in clean


def test_the_stretches_of_markers_that_stand_together_are_one() -> None:
    stretches = near([(10_000, 10_020), (10_100, 10_120), (40_000, 40_020)], 100_000)
    assert stretches is not None
    assert [stretches.next(at) for at in (0, 7_000, 13_119, 13_120, 43_020)] == [7_000, 7_000, 13_119, 37_000, -1]
    assert stretches.end(7_500) == 13_120 + REACH


def test_nothing_is_left_out_of_a_short_text_or_one_full_of_markers() -> None:
    assert near([(5_000, 5_020)], 12_000) is None
    assert near([(at, at + 20) for at in range(0, 100_000, 5_000)], 1_000_000) is None


def test_of_the_places_of_a_word_those_near_the_markers_are_the_first() -> None:
    text = "key " * 10_000
    sight = Sight(text, near([(30_000, 30_004)], len(text)))
    assert sight.first("key")[0] == 30_000 - REACH
    assert sight.first("key", far=True) == list(range(0, 4 * FEW, 4))


def test_a_run_that_reaches_to_a_marker_is_told_from_its_beginning() -> None:
    codes = b"a" * 30 + b" " + b"b" * 20_000 + b" " + b"c" * 30 + b" " * 40_000
    stretches = near([(20_010, 20_020)], len(codes))
    assert list(runs(outline(codes, kind("abc")), 20, stretches)) == [(31, 20_031), (20_032, 20_062)]


def test_places_of_a_text_and_of_the_same_without_colours_are_told_from_each_other() -> None:
    text = "\x1b[0mone \x1b[31;1mtwo\x1b[0m three\u200b " * 2_000
    bare = Bare(Sight(text))
    assert bare.text == "one two three " * 2_000
    original = bare.original
    assert all(text[original(at)] == bare.text[at] for at in range(0, len(bare.text), 7))
    at = 20_005
    stretches = bare.near([(original(at), original(at + 10) + 1)])
    assert stretches is not None
    assert at - REACH - 300 < stretches.next(0) <= at - REACH
    assert at + 11 + 2 * REACH <= stretches.end(at) < at + 11 + 2 * REACH + 300
