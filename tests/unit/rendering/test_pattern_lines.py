"""Patterns, as the lines a model reads."""

from typing import Any

from mcp_memory.rendering.lines import LABEL
from mcp_memory.rendering.pattern_lines import NOTHING_TOLD, pattern_text, patterns_text


def row(**fields: Any) -> dict[str, Any]:
    said = {"pattern_id": "pat_1", "kind": "argument_change", "description": "when add fails, give it fewer words", "successes": 3}
    return {**said, "failures": 1, "support": 4, "confidence": 0.51, "provenance": "3 sources", **fields}


def test_a_pattern_is_a_line_with_how_often_it_held() -> None:
    text = patterns_text({"patterns": [row()], "next_cursor": None, "total": 1, "degraded": []})
    assert text.splitlines() == [LABEL, "1. when add fails, give it fewer words (held 3 of 4 times, confidence 0.51) [pat_1]"]


def test_none_is_one_line_and_more_say_where_they_are() -> None:
    assert patterns_text({"patterns": [], "next_cursor": None, "total": 0, "degraded": []}) == "No pattern is known for this."
    assert patterns_text({"patterns": [row()], "next_cursor": "c1", "total": 7, "degraded": []}).endswith("7 patterns in all: cursor=c1")


def test_what_only_names_tools_is_listed_where_its_kind_is_asked_for() -> None:
    silent = row(pattern_id="pat_2", kind="tool_sequence", description="respond → respond", telling=False)
    answer = {"patterns": [silent, row()], "next_cursor": None, "total": 2, "degraded": []}
    assert [line.rpartition(" ")[2] for line in patterns_text(answer).splitlines()[1:]] == ["[pat_1]"]
    assert len(patterns_text(answer, every=True).splitlines()) == 3
    assert patterns_text({**answer, "patterns": [silent]}) == NOTHING_TOLD


def test_a_pattern_that_shares_a_word_with_the_query_alone_is_not_told() -> None:
    def told(**why: float) -> bool:
        return "pat_1" in patterns_text({"patterns": [row(why=why)], "next_cursor": None, "total": 1, "degraded": []})

    assert not told(words=0.1, confidence=0.9)
    assert told(words=0.6, confidence=0.9)
    assert told(words=0.1, context=0.5)
    assert told(confidence=0.9)


def test_a_correction_stands_before_what_it_corrects() -> None:
    assert "1. Use add2 (corrected; instead of: when" in patterns_text(
        {"patterns": [row(correction="Use add2")], "next_cursor": None, "total": 1, "degraded": []}
    )


def test_one_pattern_says_where_it_held_and_where_not() -> None:
    evidence = [{"episode_id": "e1", "success": True}, {"episode_id": "e2", "success": False}]
    text = pattern_text({**row(), "evidence": evidence, "failed_in": ["e2"], "retired": True})
    assert text.splitlines()[2:] == ["Held in: e1", "Not in: e2", "It is retired: it is not advised any more."]
