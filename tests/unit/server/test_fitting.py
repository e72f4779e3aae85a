"""No answer is larger than the cap, and none is cut in silence."""

from mcp_memory.domain.limits import MAX_RESULT_CHARS
from mcp_memory.rendering import render
from mcp_memory.server import fitting
from mcp_memory.server.calling import tool_result


def test_an_answer_within_the_cap_is_left_alone() -> None:
    data = {"a": "x" * 100}
    result = tool_result(data)
    assert result["structuredContent"] == data
    assert "truncated" not in result["structuredContent"]


def test_a_long_text_is_cut_with_its_length_and_the_way_to_the_rest() -> None:
    result = tool_result({"episode_id": "e1", "steps": [{"observation": "x" * 90_000, "index": 0}]})
    data = result["structuredContent"]
    assert len(result["content"][0]["text"]) <= MAX_RESULT_CHARS
    assert data["truncated"] is True
    assert "step_from" in data["rest"]
    assert data["steps"][0]["observation"].endswith(" … [+86000 characters]")
    assert result["content"][1]["uri"] == "memory://episode/e1"


def test_very_many_rows_are_cut_too() -> None:
    cut = fitting.shortened({"rows": [{"k": "v" * 30, "n": i} for i in range(5_000)]})
    assert fitting.fits(render.text_of(cut))
    assert cut["truncated"] is True
    assert cut["rows"]


def test_what_cannot_be_cut_otherwise_loses_its_lists() -> None:
    cut = fitting.shortened({"id": "x", "rows": [{f"key{i}": i for i in range(5_000)}]})
    assert fitting.fits(render.text_of(cut))
    assert cut["id"] == "x"


def test_a_smaller_limit_makes_progress() -> None:
    assert fitting.smaller_limit(50, "x" * 2 * MAX_RESULT_CHARS) == 22
    assert fitting.smaller_limit(2, "x" * (MAX_RESULT_CHARS + 1)) == 1
