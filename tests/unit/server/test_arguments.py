"""Arguments are refused in one readable line, or come out as the schema says."""

from typing import Any

import pytest

from mcp_memory.server.arguments import InvalidArguments, check
from mcp_memory.server.schema import boolean, free_object, integer, number, record, string, strings

SCHEMA = record(
    {
        "task": string(),
        "kind": string(values=["a", "b"]),
        "tags": strings(),
        "metadata": free_object(),
        "limit": integer(),
        "rating": number(),
        "recall": boolean(),
        "steps": {"type": "array", "items": record({"tool": string(), "arguments": free_object()}, ["tool"])},
    },
    ["task"],
)


def refusal(raw: Any) -> str:
    with pytest.raises(InvalidArguments) as refused:
        check("start", SCHEMA, raw)
    line = str(refused.value)
    assert line.startswith("invalid_arguments: ")
    assert "\n" not in line
    assert "Arguments of start: task*, kind, tags" in line
    return line


def test_good_arguments_come_out_as_they_are() -> None:
    good = {"task": "t", "kind": "a", "tags": ["x"], "metadata": {"deep": [1, None]}, "limit": 3, "rating": 0.5, "recall": False}
    assert check("start", SCHEMA, good) == good


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (None, "missing `task`"),
        ({}, "missing `task`"),
        ({"task": None}, "missing `task`"),
        ({"task": "t", "epsiodeId": "x"}, "unknown argument `epsiodeId`"),
        ({"task": 5}, "`task` must be a string, not a number"),
        ({"task": "t", "kind": "c"}, "`kind` must be one of a, b, not 'c'"),
        ({"task": "t", "tags": "x"}, "`tags` must be a list, not a string"),
        ({"task": "t", "tags": ["x", 1]}, "`tags[1]` must be a string, not a number"),
        ({"task": "t", "metadata": "{broken"}, "`metadata` must be an object, not a string"),
        ({"task": "t", "limit": True}, "`limit` must be a whole number, not a boolean"),
        ({"task": "t", "limit": 1.5}, "`limit` must be a whole number, not a number"),
        ({"task": "t", "limit": "3"}, "`limit` must be a whole number, not a string"),
        ({"task": "t", "rating": float("nan")}, "`rating` must be a number"),
        ({"task": "t", "rating": True}, "`rating` must be a number, not a boolean"),
        ({"task": "t", "recall": 1}, "`recall` must be true or false, not a number"),
        ({"task": "t", "steps": [{"tool": "x", "bogus": 1}]}, "unknown argument `steps[0].bogus`"),
        ({"task": "t", "steps": [{}]}, "missing `steps[0].tool`"),
        ([], "the arguments must be an object, not a list"),
    ],
)
def test_bad_arguments_are_refused_naming_field_and_problem(raw: Any, problem: str) -> None:
    assert problem in refusal(raw)


def test_objects_and_lists_sent_as_json_text_are_parsed() -> None:
    raw = {"task": "t", "tags": '["a", "b"]', "metadata": '{"k": 1}', "steps": [{"tool": "x", "arguments": '{"path": "a"}'}]}
    checked = check("start", SCHEMA, raw)
    assert checked["tags"] == ["a", "b"]
    assert checked["metadata"] == {"k": 1}
    assert checked["steps"] == [{"tool": "x", "arguments": {"path": "a"}}]


def test_text_that_looks_like_json_stays_text_where_a_string_is_wanted() -> None:
    assert check("start", SCHEMA, {"task": '{"k": 1}'}) == {"task": '{"k": 1}'}


def test_nulls_of_optional_fields_are_dropped_and_whole_floats_become_integers() -> None:
    assert check("start", SCHEMA, {"task": "t", "kind": None, "limit": 3.0}) == {"task": "t", "limit": 3}


def test_a_long_wrong_value_is_not_echoed_in_full() -> None:
    assert len(refusal({"task": "t", "kind": "c" * 10_000})) < 400
    assert len(refusal({"task": "t", "u" * 10_000: 1})) < 400
