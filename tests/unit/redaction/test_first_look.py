"""The first look at a short text: where it says that there is nothing, a full look finds nothing."""

import random
import re

import pytest

from mcp_memory.redaction import first_look, redact, scanner
from mcp_memory.redaction.index import whole_table
from mcp_memory.redaction.names import kind_of
from mcp_memory.redaction.scanner import work_of
from mcp_memory.redaction.table import TABLE
from mcp_memory.redaction.together import VALUE_KEYS
from mcp_memory.redaction.vocabulary import Vocabulary

BETWEEN = [
    "\\n",
    " ",
    "\n",
    "é",
    "key=",
    "password: ",
    "'",
    '"',
    "\x1b[0m",
    "\u200b",
    "AWS ",
    "a1b2c3d4" * 5,
    "src/main/java/app/",
    " --token ",
    ",",
]
CLEAN = [
    "cd /srv/app && python -m pytest tests/test_orders.py -q -x",
    "tests/test_orders.py:12: in test_total\n    assert total == 12\n1 failed, 31 passed in 0.41s",
    '{"path": "src/orders/total.py", "offset": 120, "limit": 40}',
    "https://api.example.test/v2/orders/17?page=2 answered 502 after 30 s",
    "fix the key handling of the orders page: the token count is wrong",
    "commit 2ff8b0ee26 on branch feature/login-page",
]


def glued(rng: random.Random) -> str:
    """Return rules' examples whole and cut, keywords, near misses and ordinary lines side by side."""
    found = [re.sub(r"\{\w(\d+)\}", lambda size: ("16C7e42F29" * 10)[: int(size[1])], rule.found) for rule in TABLE]
    pieces = found + [text[: len(text) * 2 // 3] for text in found] + [piece for rule in TABLE for piece in (*rule.keywords, rule.spared)]
    return "".join(rng.choices(pieces + BETWEEN * 10 + CLEAN * 20, k=rng.randint(1, 6)))


def test_what_it_says_has_nothing_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(8)
    texts = [glued(rng) for _ in range(4_000)]
    told = [redact(text) for text in texts]
    monkeypatch.setattr(first_look, "has_nothing", lambda *_: False)
    assert [redact(text) for text in texts] == told
    assert 1_000 < sum(bool(rules) for _, rules in told) < 3_500


@pytest.mark.parametrize("text", CLEAN)
def test_an_ordinary_line_takes_no_full_look(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    redact(text)

    def full(*_: object) -> None:
        pytest.fail("a full look")

    monkeypatch.setattr(scanner, "_look", full)
    assert redact(text) == (text, ())


def test_a_short_text_full_of_places_is_left_to_the_full_look_which_counts_them() -> None:
    text = "password=hunter2!x\n" * 150
    assert redact(text)[0].count("[redacted:") > 100
    assert work_of(text)[0] > 100


def test_long_numbers_ask_for_nothing() -> None:
    whole, heads, parts = whole_table().asked()
    assert not [
        word
        for word in (*whole, *(head.encode() for head in heads), *(part.encode() for part in parts))
        if len(word) > 4 and word.isdigit()
    ]
    assert not Vocabulary(b"the year 20260103 and 123456", scanner._known()).words


def test_the_names_of_mere_values_say_nothing_of_them() -> None:
    assert [kind_of(name) for name in sorted(VALUE_KEYS)] == [None] * len(VALUE_KEYS)
