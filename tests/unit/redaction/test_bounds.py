"""All looks at a text count together: at its forms, and at what became of it. What there is no work left for is masked."""

import random
import string
from typing import Any

import pytest

from mcp_memory.redaction import redact, scanner, work, wrapped
from mcp_memory.redaction.bare import Bare
from mcp_memory.redaction.scanner import work_of
from mcp_memory.redaction.work import Work

TOKEN = f"ghp_{'a1B2' * 9}"
FLOODS = {
    "a sign between all letters": "\u200b".join("EAAE" + "key=sk_live_4eC39HqLyjWDarjtT1zdp7dc r8_" + "a1B2" * 9) + "\u200b",
    "secrets glued to secrets": f"card 4111111111111111r8_{'a1B2' * 9}{TOKEN}DB_PASSWORD=hunter2!x ",
    "colours in secrets": f"{TOKEN[:9]}\x1b[0m{TOKEN[9:]} token=\x1b[31ma1b2c3d4e5f6 ",
    "a number after each": "cookie: sessionid=\xada1b2c3d4e5f6a7b8c9 {} key=",
    "characters apart": "s e c r e t = a 1 b 2 c 3 d 4 e 5 f 6 \u2060 ",
}


def flood(piece: str) -> str:
    return "".join(piece.replace("{}", str(number)) for number in range(100_000 // len(piece)))


@pytest.mark.parametrize("piece", FLOODS.values(), ids=FLOODS.keys())
def test_looks_at_all_forms_and_at_what_became_of_a_text_take_one_bound(monkeypatch: pytest.MonkeyPatch, piece: str) -> None:
    counted: list[Work] = []

    class Recorded(Work):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            counted.append(self)

    monkeypatch.setattr(scanner, "Work", Recorded)
    redact(flood(piece))
    (one,) = counted
    assert one.spent <= one.bound + 200  # the last try may be a long one
    assert one.bound <= 3_600


def secrets(rng: random.Random, noise: str) -> tuple[str, list[str]]:
    """Return lines with secrets, noise in some of them and others glued to each other, and the secrets."""
    found: list[str] = []
    lines = []
    for number in range(60):
        value = "".join(rng.choices(string.ascii_letters, k=10)) + "".join(rng.choices(string.digits, k=8))
        found.append(value)
        shown = value[:9] + noise + value[9:] if rng.random() < 0.5 else value
        lines.append(rng.choice((f"API_KEY={shown}", f"ordinary words about {number}\nDB_PASSWORD={shown}", f"{TOKEN}DB_PASSWORD={shown}")))
    return "\n".join(lines), found


@pytest.mark.parametrize("noise", ["", "\u200b", "\x1b[0m", "\U000e0041"])
@pytest.mark.parametrize("tries", [0, 3, 10, 25, 60])
def test_with_however_little_work_no_secret_is_let_through(monkeypatch: pytest.MonkeyPatch, tries: int, noise: str) -> None:
    for name in ("LEAST_TRIES", "LEAST_LATER", "MOST_LATER"):
        monkeypatch.setattr(work, name, tries)
    rng = random.Random(tries)
    for _ in range(20):
        text, values = secrets(rng, noise)
        clean = redact(text)[0]
        seen = clean.replace(noise, "") if noise else clean
        assert not [value for value in values if value in seen]


def test_near_little_noise_is_found_what_a_look_at_everything_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    prose = "an attempt that worked is told before one that did not: the key of it, the token it took\n" * 120
    texts = [
        prose + piece + prose
        for piece in (
            f"{TOKEN[:12]}\u200b{TOKEN[12:]}",
            "pass\u2060word = hunter2!x",
            "\x1b[32mAPI_\x1b[0mKEY=\x1b[33m4eC39HqLyjWDarjtT1zdp7dc\x1b[0m",
            "all of it is in \x1b[1mbold\x1b[0m, and n\xado secret",
            "-----BEGIN PRIVATE\u200b KEY-----\n" + ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2 + "\n") * 90,
        )
    ]
    texts.append("\u200b".join(texts))
    told = [redact(text) for text in texts]
    monkeypatch.setattr(Bare, "near", lambda self, stretches: None)
    assert [redact(text) for text in texts] == told
    assert [bool(found) for _, found in told] == [True, True, True, False, True, True]


HONEST = {
    "coloured tests": "\x1b[32mPASSED\x1b[0m tests/unit/test_{}.py::\x1b[1mtest_login_{}\x1b[0m \x1b[36m[ 50%]\x1b[0m\n",
    "a coloured listing": "\x1b[0m\x1b[01;34mfolder{}\x1b[0m  \x1b[01;32mrun{}.sh\x1b[0m  notes{}.txt\n",
    "soft hyphens": "the mem\xadory of the agents is ask\xaded be\xadfore the day is over, case {}\n",
    "people": "👩\u200d💻 fixed {} and 👨\u200d👩\u200d👧 said so\n",
    "Persian": "می\u200cخواهم کتاب\u200cها را بخوانم {} ",
}


@pytest.mark.parametrize("line", HONEST.values(), ids=HONEST.keys())
def test_a_long_text_with_colours_or_invisible_characters_of_its_own_is_judged_to_its_end(line: str) -> None:
    text = flood(line)
    assert redact(text) == (text, ())
    assert redact(f"{text}\n{TOKEN[:9]}\u200b{TOKEN[9:]}\n")[1] == ("github-token",)


def test_letters_apart_are_read_from_where_they_begin() -> None:
    apart = " ".join(TOKEN)
    for before in ("", "a word ", "ab c d e f g h i j k l m n o p q r st "):
        assert redact(f"{before}{apart}")[0].endswith("[redacted:spaced-secret]"), before
    assert redact(f"ab{apart}")[1] == redact(f"{apart}xy")[1] == ()


def test_lines_of_one_character_are_no_letters_apart_and_blanks_that_are_not_ascii_count() -> None:
    assert not wrapped.has_singles(b"\n:" * 1_000)
    assert wrapped.has_singles(b" :" * 1_000)
    assert work_of("\xa0 " * 50_000)[0] > 500  # each of them looked at in vain
