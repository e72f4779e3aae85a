"""Answers become plain data: times as text, nothing invisible, no infinities."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mcp_memory.domain.episode import Context, Episode, Step
from mcp_memory.rendering import render


@dataclass(frozen=True)
class Inner:
    value: float
    at_ms: int = 0
    missing: str | None = None


@dataclass(frozen=True)
class Answer:
    name: str
    started_at_ms: int
    rows: tuple[Inner, ...] = ()
    cursor: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def test_top_level_fields_are_always_there_and_empty_ones_inside_rows_are_left_out() -> None:
    assert render.answer(Answer("n", 0, (Inner(0.123456),))) == {
        "name": "n",
        "started_at": "1970-01-01T00:00:00.000Z",
        "rows": [{"value": 0.1235, "at_ms": 0}],
        "cursor": None,
        "metadata": {},
    }


def test_what_the_agent_gave_is_shown_as_it_was() -> None:
    given = {"seen_at_ms": 5, "none": None, "pi": 3.14159265, "list": [{"a": None}]}
    assert render.answer(Answer("n", 0, metadata=given))["metadata"] == given
    assert render.plain(Step("t", arguments=given))["arguments"] == given


@pytest.mark.parametrize("hidden", ["\x1b", "\x00", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\u2028", "\r"])
def test_characters_that_hide_or_repaint_are_replaced(hidden: str) -> None:
    assert render.neutral(f"a{hidden}b") == "a\ufffdb"
    assert render.plain({"k": (f"a{hidden}b",)}) == {"k": ["a\ufffdb"]}
    assert render.plain(Step("t", arguments={f"k{hidden}": hidden}))["arguments"] == {"k\ufffd": "\ufffd"}


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Tabs\tand\nlines, émojis 👩\u200d👧, 日本語, עברית"
    assert render.neutral(text) is text
    assert render.neutral("a\r\nb\x00") == "a\nb\ufffd"


def test_a_number_json_has_no_word_for_becomes_null() -> None:
    assert render.plain({"x": float("inf"), "y": float("nan")}) == {"x": None, "y": None}


def test_times_beyond_the_calendar_are_shown_as_numbers() -> None:
    assert render.iso(2**60) == str(2**60)


def test_text_is_compact_json() -> None:
    assert render.text_of({"a": [1, "é"]}) == '{"a":[1,"é"]}'


def test_an_episode_renders_with_its_nested_records() -> None:
    data = render.plain(Episode(id="e", project="p", task="t", context=Context(tags=("x",)), steps=(Step("bash", at_ms=7),)))
    assert data["context"]["tags"] == ["x"]
    assert data["steps"][0]["status"] == "ok"
    assert "outcome" not in data


def test_a_value_without_a_wire_form_is_a_bug_and_says_so() -> None:
    with pytest.raises(TypeError, match="object has no wire form"):
        render.plain(object())
