"""The id of a pattern is remembered by what it is made of; it must be what it would be without that."""

import hashlib
import json
from typing import Any

import pytest

from mcp_memory.domain.pattern import PatternKind, pattern_id

KIND = PatternKind.TOOL_SEQUENCE


def made(content: dict[str, Any]) -> str:
    text = json.dumps([KIND.value, content], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "pat_" + hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


OF_TEXTS: list[dict[str, Any]] = [{"tools": ["a", "b"]}, {"tools": []}, {"tools": "ab"}, {"a": "1", "b": ["ä"]}, {"b": ["ä"], "a": "1"}, {}]
OF_OTHERS: list[dict[str, Any]] = [{"n": 1}, {"n": True}, {"n": [1]}, {"n": [True]}, {"n": None}, {"n": {"a": "b"}}]


@pytest.mark.parametrize("content", [*OF_TEXTS, *OF_OTHERS])
def test_an_id_is_the_hash_of_kind_and_content(content: dict[str, Any]) -> None:
    assert [pattern_id(KIND, content), pattern_id(KIND, content)] == [made(content)] * 2
