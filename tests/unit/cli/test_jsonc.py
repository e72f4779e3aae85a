"""Edits of JSON with comments: what is asked for is there, and nothing else moved."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.cli.install.jsonc import append_item, parse, remove_items, set_member
from mcp_memory.errors import InvalidInput

WITH_COMMENTS = """\
// Settings of a person
{
    /* the theme */
    "theme": "dark", // at night
    "servers": {
        // the first
        "files": {"command": "files", "args": ["--root", "/"]}, // keep

    },
    "url": "http://host/path", // a // in a string is no comment
}
"""
ENTRY = {"command": "python", "args": ["-m", "mcp_memory"]}


def test_a_member_is_added_and_every_old_line_stays() -> None:
    edited = set_member(WITH_COMMENTS, ("servers", "memory"), ENTRY)
    assert parse(edited).value["servers"]["memory"] == ENTRY
    assert [line for line in edited.splitlines() if line in WITH_COMMENTS.splitlines()] == WITH_COMMENTS.splitlines()


def test_adding_and_removing_gives_the_old_values_and_comments() -> None:
    edited = remove_items(set_member(WITH_COMMENTS, ("servers", "memory"), ENTRY), ("servers",), lambda key, _: key == "memory")
    assert parse(edited).value == parse(WITH_COMMENTS).value
    for comment in ("// Settings of a person", "/* the theme */", "// at night", "// the first", "// keep"):
        assert comment in edited


def test_an_existing_member_is_replaced_in_place() -> None:
    edited = set_member(WITH_COMMENTS, ("servers", "files"), ENTRY)
    assert parse(edited).value["servers"] == {"files": ENTRY}
    assert "// the first" in edited


@pytest.mark.parametrize("empty", ["", "  \n", "{}", "{ }\n", "{\n}\n", "// nothing yet\n{\n  // really\n}\n"])
def test_an_empty_file_gets_the_objects_on_the_way(empty: str) -> None:
    edited = set_member(empty, ("servers", "memory"), ENTRY)
    assert parse(edited).value == {"servers": {"memory": ENTRY}}
    assert all(line.strip() in edited for line in empty.splitlines() if line.lstrip().startswith("//"))


def test_line_ends_and_byte_order_mark_are_kept() -> None:
    edited = set_member('\ufeff{\r\n  "a": 1\r\n}\r\n', ("b",), {"c": 2})
    assert edited == '\ufeff{\r\n  "a": 1,\r\n  "b": {\r\n    "c": 2\r\n  }\r\n}\r\n'


def test_a_trailing_comma_is_not_doubled() -> None:
    assert parse(set_member('{"a": 1,}', ("b",), 2)).value == {"a": 1, "b": 2}


def test_items_are_appended_to_an_array_that_is_made_when_absent() -> None:
    text = append_item('{"hooks": {}}', ("hooks", "Stop"), {"n": 1})
    text = append_item(text, ("hooks", "Stop"), {"n": 2})
    assert parse(text).value == {"hooks": {"Stop": [{"n": 1}, {"n": 2}]}}


@pytest.mark.parametrize("text", ["{", '{"a" 1}', '{"a": }', "[1 2]", '{"a": tru}', "{} {}"])
def test_broken_json_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(InvalidInput, match="line 1"):
        set_member(text, ("b",), 1)


def test_a_path_through_a_value_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidInput, match="servers"):
        set_member('{"servers": 3}', ("servers", "memory"), ENTRY)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.sampled_from([None, 2, 4, "\t"]), VALUES)
def test_any_document_can_be_edited_and_restored(document: dict[str, Any], indent: int | str | None, value: object) -> None:
    text = json.dumps(document, indent=indent)
    edited = set_member(text, ("new key", "deep"), value)
    assert json.loads(edited) == document | {"new key": {"deep": value}}
    assert json.loads(remove_items(edited, (), lambda key, _: key == "new key")) == document


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 2]), st.data())
def test_any_item_of_an_array_can_be_removed(items: list[Any], indent: int | None, data: st.DataObject) -> None:
    marked = [[index, item] for index, item in enumerate(items)]
    gone = data.draw(st.sets(st.integers(0, max(0, len(items) - 1))))
    text = remove_items(json.dumps({"a": marked}, indent=indent), ("a",), lambda _, item: item[0] in gone)
    assert json.loads(text) == {"a": [item for item in marked if item[0] not in gone]}
